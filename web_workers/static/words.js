// What the page says of figures and of the daemon's words.
"use strict";

function rate(shown) {
  const measured = shown?.frames?.fps;
  return typeof measured === "number" ? `${measured.toFixed(1)} fps` : "–";
}

// The daemon's words begin small and end without a stop, to stand in logs too.
function sentences(...texts) {
  return texts
    .filter(Boolean)
    .map((text) => `${capital(text)}${/[.!?]$/.test(text) ? "" : "."}`)
    .join(" ");
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}

function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}
