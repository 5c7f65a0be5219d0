// A file can be dropped anywhere on the page, and one that is too large is told before it is sent. Without this script
// the form works by its button.
"use strict";

const form = document.querySelector("form.upload");
const input = form.querySelector("input[type=file]");
const state = form.querySelector(".state");
const limit = Number(form.dataset.limit);
const drops = matchMedia("(any-pointer: fine)").matches;
const hint = `${drops ? "You can also drop it on this page. " : ""}${state.textContent}`;

function check() {
  const file = input.files[0];
  const fits = !file || file.size <= limit;
  const fault = fits ? "" : `${file.name} is too large: at most ${limit.toLocaleString("en")} bytes are compared.`;
  input.setCustomValidity(fault);
  state.textContent = fault || (file ? `${file.name} is chosen.` : hint);
}

function drop(event) {
  if (!event.dataTransfer.files.length) return;
  input.files = event.dataTransfer.files;
  check();
  form.requestSubmit();
}

input.addEventListener("change", check);
form.addEventListener("submit", () => {
  state.textContent = `Comparing ${input.files[0].name} …`;
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    form.classList.toggle("over", kind === "dragover");
  });
}
document.addEventListener("drop", drop);
addEventListener("pageshow", check);
