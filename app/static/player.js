// Plays a song's file with the synthesiser beside it. Nothing is fetched before the first click on Play; without
// JavaScript, or without Web Audio, the player stays hidden.
"use strict";

(() => {
  const player = document.querySelector(".player");
  if (!player || !window.AudioContext) return;
  const [button, slider, time, status] = ["button", "input", ".time", "[role=status]"].map((part) => player.querySelector(part));
  const playhead = document.querySelector(".playhead");
  const duration = Number(slider.max);
  const SHOWN_EVERY = 200; // milliseconds
  let song = null;
  let shown = null;

  const script = (address) => new Promise((resolve, reject) => {
    const element = Object.assign(document.createElement("script"), { src: address, onload: resolve, onerror: reject });
    document.head.append(element);
  });

  const bytes = async (address) => {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return answer.arrayBuffer();
  };

  // The synthesiser reads files that begin with their header, and counts time in ticks of quarter notes.
  const readable = (data) => data.byteLength > 14 && new DataView(data).getUint32(0) === 0x4d546864
    && new DataView(data).getInt16(12) > 0;

  // The synthesiser rounds tempos, so its clock differs from the file's: ticks become parts of the whole, 0 to 1.
  const scale = (events) => {
    const notes = events.filter((event) => event.m[0] < 0xa0);
    const end = notes.length ? notes[notes.length - 1].t : 0;
    const stretches = [{ tick: 0, at: 0, pace: 1 / 120 }];
    for (const { t, m } of events.filter((event) => event.m[0] === 0xff51 && event.m[1] > 0)) {
      const { tick, at, pace } = stretches[stretches.length - 1];
      stretches.push({ tick: t, at: at + (t - tick) * pace, pace: 1 / m[1] });
    }
    const reached = (tick) => {
      const { tick: since, at, pace } = stretches.findLast((stretch) => stretch.tick <= tick);
      return at + (tick - since) * pace;
    };
    const whole = reached(end) || 1;
    return {
      part: (tick) => Math.min(1, reached(tick) / whole),
      tick: (part) => {
        const { tick, at, pace } = stretches.findLast((stretch) => stretch.at <= part * whole);
        return Math.round(tick + (part * whole - at) / pace);
      },
    };
  };

  const prepare = async () => {
    const [data] = await Promise.all([bytes(player.dataset.file), script(player.dataset.synthesiser)]);
    if (!readable(data)) return null;
    const synthesiser = new window.WebAudioTinySynth({ quality: 1, useReverb: 1 });
    synthesiser.loadMIDI(data);
    return { synthesiser, ...scale(synthesiser.song.ev) };
  };

  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

  const show = (seconds) => {
    slider.value = seconds;
    slider.setAttribute("aria-valuetext", `${clock(seconds)} of ${clock(duration)}`);
    time.textContent = `${clock(seconds)} / ${clock(duration)}`;
    if (playhead) playhead.style.left = `${100 * seconds / duration}%`;
  };

  const follow = () => {
    const { play, curTick } = song.synthesiser.getPlayStatus();
    show(duration * song.part(curTick));
    if (!play) pause();
  };

  const pause = () => {
    song.synthesiser.stopMIDI();
    clearInterval(shown);
    button.textContent = "Play";
  };

  const play = () => {
    song.synthesiser.getAudioContext().resume();
    song.synthesiser.playMIDI();
    clearInterval(shown);
    shown = setInterval(follow, SHOWN_EVERY);
    button.textContent = "Pause";
    if (playhead) playhead.hidden = false;
  };

  const start = async () => {
    button.disabled = true;
    status.textContent = "Loading…";
    try {
      song = await prepare();
      status.textContent = song ? "" : "This file cannot be played here; it can be downloaded.";
    } catch {
      status.textContent = "The file cannot be had at this moment. Try again in a few seconds.";
    }
    button.disabled = false;
    if (!song) return;
    slider.disabled = false;
    button.focus();
    play();
  };

  button.addEventListener("click", () => {
    if (!song) start();
    else if (song.synthesiser.getPlayStatus().play) pause();
    else play();
  });
  slider.addEventListener("input", () => {
    song.synthesiser.locateMIDI(song.tick(slider.value / duration));
    show(Number(slider.value));
  });
  show(0);
  player.hidden = false;
})();
