"""What mido and pretty_midi read out of a file: slow, and made by others."""

import io
import warnings
from collections import Counter
from dataclasses import dataclass, field

import mido
import pretty_midi
from mido.midifiles.tracks import merge_tracks

DRUM_CHANNEL = 9
DRUMS = (0, True)
Instrument = tuple[int, bool]
"""Program and whether it is the drums', whose program is always 0 here."""


@dataclass
class Heard:
    """What a player of mido's messages hears. seconds: to the end of the last note. tempos: seconds in force."""

    notes: Counter[Instrument] = field(default_factory=Counter)
    seconds: float = 0.0
    tempos: dict[int, float] = field(default_factory=dict)


class _Player:
    """Plays messages in order, with each channel's program and open notes."""

    def __init__(self) -> None:
        self.program = [0] * 16
        self.open: dict[tuple[int, int], list[int]] = {}

    def play(self, message: mido.Message, tick: int) -> Counter[Instrument]:
        """The notes that end with this message."""
        if message.type == "program_change":
            self.program[message.channel] = message.program
        if message.type not in ("note_on", "note_off"):
            return Counter()
        started = self.open.setdefault((message.channel, message.note), [])
        if message.type == "note_on" and message.velocity > 0:
            started.append(tick)
            return Counter()
        ended = [start for start in started if start < tick]
        self.open[message.channel, message.note] = [start for start in started if ended and start == tick]
        if not ended:
            return Counter()
        drums = message.channel == DRUM_CHANNEL
        return Counter({DRUMS if drums else (self.program[message.channel], False): len(ended)})


def hear(data: bytes) -> Heard:
    """Play a file as mido reads it: all tracks at once, or one after the other (format 2)."""
    file = mido.MidiFile(file=io.BytesIO(data))
    heard = Heard()
    now = 0.0
    stretches: list[tuple[float, float, int]] = []
    for sequence in file.tracks if file.type == 2 else [file.merged_track]:
        player, tick, tempo, since = _Player(), 0, 500_000, now
        for message in sequence:
            tick += message.time
            now += message.time * tempo / 1e6 / file.ticks_per_beat
            ended = player.play(message, tick)
            if ended:
                heard.notes += ended
                heard.seconds = now
            if message.type == "set_tempo":
                stretches.append((since, now, tempo))
                tempo, since = message.tempo, now
        stretches.append((since, now, tempo))
    for start, end, value in stretches:
        heard.tempos[value] = heard.tempos.get(value, 0.0) + max(0.0, min(end, heard.seconds) - start)
    return heard


def instruments(file: mido.MidiFile) -> set[Instrument]:
    """The instruments pretty_midi finds in a file that mido has read (the file's messages are changed by it)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found = pretty_midi.PrettyMIDI(mido_object=file).instruments
    return {DRUMS if instrument.is_drum else (int(instrument.program), False) for instrument in found}


def instruments_by_track(data: bytes) -> set[Instrument] | None:
    """With the programs of each track kept apart, as pretty_midi does by itself; None for what it cannot read."""
    try:
        return instruments(mido.MidiFile(file=io.BytesIO(data)))
    except Exception:  # mido and pretty_midi raise all kinds of errors at what they do not like
        return None


def instruments_merged(data: bytes) -> set[Instrument]:
    """With all tracks merged into one first, so a program reaches the other tracks of its channel."""
    file = mido.MidiFile(file=io.BytesIO(data))
    tracks = file.tracks if file.type == 2 else [merge_tracks(file.tracks)]
    return instruments(mido.MidiFile(type=file.type, ticks_per_beat=file.ticks_per_beat, tracks=tracks))
