// A sound and a notification of the browser at a new breach, for a reader who asked for them. This browser remembers that.

const TONE = 880; // hertz
const LENGTH = 0.4; // seconds

const choices = {
  sound: document.querySelector("#alert-sound"),
  notice: document.querySelector("#alert-notice"),
};

const key = (name) => `slatimer-alert-${name}`;

function beep() {
  const context = new AudioContext();
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.frequency.value = TONE;
  volume.gain.setValueAtTime(0.2, context.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + LENGTH);
  tone.connect(volume).connect(context.destination);
  tone.onended = () => context.close();
  tone.start();
  tone.stop(context.currentTime + LENGTH);
}

async function changed(name, box) {
  if (name === "notice" && box.checked) box.checked = (await Notification.requestPermission()) === "granted";
  if (name === "sound" && box.checked) beep(); // how it sounds, and the browser's leave to play it
  localStorage.setItem(key(name), box.checked ? "on" : "");
}

export function alertOnBreaches() {
  const canNotify = "Notification" in window;
  choices.notice.disabled = !canNotify;
  choices.sound.checked = localStorage.getItem(key("sound")) === "on";
  choices.notice.checked = canNotify && Notification.permission === "granted" && localStorage.getItem(key("notice")) === "on";
  for (const [name, box] of Object.entries(choices)) box.addEventListener("change", () => changed(name, box));
  document.addEventListener("swapped", ({ detail }) => {
    const rows = [...detail.querySelectorAll(".highlight[data-spoken]")];
    if (!rows.length) return;
    if (choices.sound.checked) beep();
    if (choices.notice.checked) rows.forEach(({ dataset }) => new Notification(dataset.spoken, { tag: dataset.key }));
  });
}
