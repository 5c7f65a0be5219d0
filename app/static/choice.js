// The search form with counts that follow the choice, and instruments found by typing. Without this script it works by
// its buttons.
"use strict";

const form = document.querySelector("form.search");
const soFar = form.querySelector(".so-far");
const families = [...form.querySelectorAll(".family")];

const songs = (number) => `${number.toLocaleString("en")} ${number === 1 ? "song" : "songs"}`;

const holdsChoice = (family) => family.querySelector(":checked") !== null;

// Counts

let counting = new AbortController();

function question() {
  const asked = [...new FormData(form)].filter(([name, value]) => name !== "sort" && value.trim());
  return new URLSearchParams(asked);
}

async function count() {
  counting.abort();
  counting = new AbortController();
  const asked = question();
  try {
    const answer = await fetch(`${form.dataset.counts}?${asked}`, { signal: counting.signal });
    const found = await answer.json();
    if (answer.ok) show(found, asked.size > 0);
    else soFar.textContent = found.detail;
  } catch (error) {
    if (error.name !== "AbortError") soFar.textContent = "The songs cannot be counted at this moment.";
  }
}

function show(found, chosen) {
  soFar.textContent = chosen
    ? `${songs(found.total)} so far. The numbers say how many remain with one more instrument.`
    : "";
  families.forEach((family, place) => {
    const picked = [...family.querySelectorAll("li")].filter((item) => item.querySelector(":checked")).length;
    const counted = songs(found.families[place].songs);
    family.querySelector(".tally").textContent = picked ? `${picked} chosen · ${counted}` : counted;
    found.families[place].instruments.forEach((instrument) => {
      const item = family.querySelector(`input[value="${instrument.program}"]`).closest("li");
      item.querySelector(".remain").textContent = instrument.songs.toLocaleString("en");
      item.classList.toggle("gone", instrument.songs === 0);
    });
  });
}

function changed(input) {
  return input.type === "search" ? input.value !== input.defaultValue : input.checked !== input.defaultChecked;
}

let pause;
form.addEventListener("input", (event) => {
  if (!event.target.name) return;
  clearTimeout(pause);
  pause = setTimeout(count, event.target.type === "search" ? 200 : 0);
});
// A browser that comes back to this page fills the form in as it was left, not as it was counted.
window.addEventListener("pageshow", () => {
  if (![...form.querySelectorAll("input[name]:not([type=hidden])")].some(changed)) return;
  families.forEach((family) => { family.open ||= holdsChoice(family); });
  count();
});
form.querySelector(".again").hidden = true;

// Finding an instrument

const find = form.querySelector("#find");
const matches = form.querySelector("#matches");
let openBefore = null;

function filter() {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length && !openBefore) openBefore = families.filter((family) => family.open);
  let found = 0;
  for (const family of families) {
    const whole = family.querySelector(".name").textContent.toLowerCase();
    let here = 0;
    for (const item of family.querySelectorAll("li")) {
      const name = `${item.querySelector(".picks").getAttribute("aria-label").toLowerCase()} ${whole}`;
      item.hidden = !words.every((word) => name.includes(word));
      here += !item.hidden;
    }
    family.hidden = here === 0;
    if (words.length) family.open = here > 0;
    found += here;
  }
  if (words.length) {
    matches.textContent = `${found} ${found === 1 ? "instrument" : "instruments"}`;
  } else if (openBefore) {
    families.forEach((family) => { family.open = openBefore.includes(family) || holdsChoice(family); });
    matches.textContent = "";
    openBefore = null;
  }
}

find.addEventListener("input", filter);
find.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  form.querySelector(".family:not([hidden]) li:not([hidden]) input")?.focus();
});
form.querySelector(".find").hidden = false;
filter();
