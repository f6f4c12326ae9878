// The commands of each camera's card, for who may command. page.js calls this once for each card,
// what it returns for each state that is told, and has `sentences`.
"use strict";

globalThis.framebusCommands = (card, path) => {
  const token = document.querySelector('meta[name="framebus-csrf"]').content;
  const output = card.querySelector(".commands output");
  const buttons = [...card.querySelectorAll(".commands button")];
  let number = 0;

  async function command(button) {
    const { method, rung } = button.dataset;
    number += 1;
    const call = { jsonrpc: "2.0", id: number, method, params: rung ? { rung } : {} };
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": token },
      body: JSON.stringify(call),
    });
    const answer = await response.json();
    if (answer.result) return `Done: ${answer.result.state}`;
    return answer.error?.message ?? sentences(answer.message, answer.remedy);
  }

  for (const button of buttons) {
    button.addEventListener("click", async () => {
      for (const each of buttons) each.disabled = true;
      output.textContent = "…";
      output.textContent = await command(button).catch(() => "No answer from framebus");
      for (const each of buttons) each.disabled = false;
    });
  }

  // What nothing would make possible here is not offered: a USB reset of what has no USB device.
  return (told) => {
    const without = (told.recovery?.unavailable ?? []).filter((each) => !each?.remedy);
    for (const button of buttons) button.hidden = without.some((each) => each?.rung === button.dataset.rung);
  };
};
