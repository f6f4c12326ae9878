// The page: one card per camera, its live picture, and its state from one event stream for all.
//
// Browsers allow six connections per host on HTTP/1.1, and a live picture keeps one for good. So
// all states share a connection, four pictures are live, and further ones are fetched each second.
//
// What is asked for here has `page` in its query: where the session has ended, the browser would
// open its sign-in box for each of them otherwise, every few seconds.
"use strict";

// Where `/` is. A proxy may serve it below a prefix, of which nothing is known here.
const ROOT = new URL("..", document.currentScript.src);
const LIVE_MAX = 4;
const RETRY_MS = 1000; // a lost picture is asked for again after this long
const POLL_MS = 1000;
const REFUSED_MS = 10000; // a refusal without Retry-After
const EVENTS = new URL("events?page=1", ROOT);
const SILENT_MS = 4000; // states come every second: this much silence is a lost connection

class Camera {
  constructor(name, live) {
    this.name = name;
    this.live = live;
    this.timer = 0;
    this.number = 0;
    this.rests = false; // whether it does something else while nobody watches
    this.incident = undefined; // the one that was shown last as going on
    this.daemon = null; // the process whose incidents are shown
    const card = document.getElementById("camera").content.cloneNode(true);
    const part = (selector) => card.querySelector(selector);
    this.card = part(".camera");
    this.image = part("img");
    this.picture = part(".picture");
    this.state = part(".state");
    this.cause = part(".cause");
    this.fps = part(".fps");
    this.size = part(".size");
    this.age = part(".age");
    this.incidents = part(".incidents");
    this.lost = part(".lost");
    this.card.dataset.camera = name;
    this.image.alt = `Camera ${name}`;
    part("h2").textContent = name;
    part(".stream").href = this.path("stream");
    part(".snapshot").href = this.path("snapshot");
    part(".json").href = this.path("state");
    this.offer = globalThis.framebusCommands?.(this.card, `${this.path("control")}?page=1`);
    part(".full").addEventListener("click", () => this.toggleFull());
    this.image.addEventListener("error", () => this.again(RETRY_MS));
    this.image.addEventListener("load", () => {
      if (!this.live) this.again(POLL_MS);
    });
  }

  path(what) {
    return new URL(`cameras/${encodeURIComponent(this.name)}/${what}`, ROOT).href;
  }

  start() {
    if (this.unseen()) return;
    // A number of its own for each attempt: no browser takes it for one that it has already.
    this.number += 1;
    const query = this.live ? `?page=${this.number}` : `?placeholder=1&page=${this.number}`;
    this.image.src = this.path(this.live ? "stream" : "snapshot") + query;
  }

  stop() {
    clearTimeout(this.timer);
    this.image.removeAttribute("src"); // Chrome keeps the connection of a hidden stream otherwise
  }

  // A page in the background is nobody who watches: a camera that rests without viewers may do so.
  unseen() {
    return document.hidden && this.rests;
  }

  look() {
    if (this.unseen()) this.stop();
    else if (!this.image.hasAttribute("src")) this.start();
  }

  again(delay) {
    if (!this.image.hasAttribute("src")) return;
    clearTimeout(this.timer);
    const refused = () => Date.now() < page.retryAt; // asked late: it may have been lifted by then
    this.timer = setTimeout(() => (refused() ? this.again(RETRY_MS) : this.start()), delay);
  }

  show(told) {
    // What the picture is of: the camera, or for the time being its fallback.
    const instead = told.showing === "fallback";
    const shown = instead ? told.fallback : told;
    const granted = shown?.source?.granted;
    const live = this.live ? "live" : "live, one picture a second";
    const idle = told.state === "idle";
    const state = idle ? "off, nobody watches" : told.state === "absent" ? "not running" : told.state;
    this.lost.hidden = true;
    this.state.textContent = capital(told.online ? live : instead ? "fallback" : state);
    this.state.className = `state ${told.online ? "good" : idle ? "" : "bad"}`;
    this.fps.textContent = told.showing ? rate(shown) : "–";
    this.size.textContent = granted?.width ? `${granted.width} × ${granted.height}` : "–";
    this.age.textContent = told.age_s === null ? "–" : duration(told.age_s);
    this.cause.hidden = told.cause === null || idle;
    if (told.cause) {
      const what = instead ? `this is ${told.fallback?.source?.spec}, not the camera` : "";
      this.cause.textContent = sentences(what, told.cause.message, told.cause.remedy);
    }
    if (told.state !== "absent" && (told.incident !== this.incident || told.pid !== this.daemon)) {
      this.incident = told.incident;
      this.daemon = told.pid;
      this.list();
    }
    this.offer?.(told);
    this.rests = Boolean(told.demand);
    this.look();
    if (granted?.width && granted?.height) {
      this.picture.style.aspectRatio = `${granted.width} / ${granted.height}`;
    }
  }

  // The last few losses of frames. Asked for when one begins or ends, and of a new daemon.
  async list() {
    const found = await fetch(`${this.path("incidents")}?limit=5&page=1`)
      .then((response) => (response.ok ? response.json() : null))
      .catch(() => null);
    if (!found) this.daemon = null; // the next state asks again
    if (!found || found.trouble) return; // what was shown stays
    const count = found.incidents.length + found.left_off;
    this.incidents.hidden = count === 0;
    this.incidents.querySelector("summary").textContent =
      count === 1 ? "Frames were lost once" : `Frames were lost ${count} times`;
    this.incidents.querySelector("ol").replaceChildren(...found.incidents.map((each) => item(each, this.incident)));
  }

  // What was told last holds no more.
  lose() {
    this.lost.hidden = false;
    this.state.textContent = "No connection";
    this.state.className = "state bad";
    this.fps.textContent = this.age.textContent = "–";
  }

  toggleFull() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.picture.requestFullscreen();
  }
}

function item(incident, now) {
  const line = document.createElement("li");
  const time = document.createElement("time");
  const began = new Date(incident.began_utc_ns / 1e6);
  time.dateTime = began.toISOString();
  time.textContent = began.toLocaleString([], { dateStyle: "short", timeStyle: "medium" });
  const instead = incident.fallback_utc_ns ? ", with the fallback shown instead" : "";
  const what = `No frames ${length(incident, now)}${instead}${cure(incident.cured_by)}.`;
  line.append(time, `${sentences(incident.cause?.message)} ${what}`);
  return line;
}

function length(incident, now) {
  if (incident.ended_utc_ns) return `for ${duration(incident.away_s)}`;
  if (incident.id === now) return "since then, and they are not back yet";
  return `for at least ${duration(incident.away_s)}, until the daemon ended`;
}

function cure(by) {
  if (!by) return "";
  return { itself: ", then back by itself", person: ", until a person helped" }[by] ?? `, cured by ${by}`;
}

class Page {
  constructor() {
    this.cameras = new Map();
    this.grid = document.getElementById("cameras");
    this.link = document.getElementById("link");
    this.source = null;
    this.heard = 0;
    this.lost = false;
    this.watch = 0;
    this.refusal = ""; // why the web tier does not serve this page, in its words
    this.retryAt = 0; // it is not asked before this time
    this.lostViewers = undefined; // how often workers had lost viewers, as last told
  }

  start() {
    this.heard = Date.now();
    this.connect();
    this.watch = setInterval(() => this.check(), 500);
    for (const camera of this.cameras.values()) camera.start();
  }

  stop() {
    clearInterval(this.watch);
    this.source.close();
    for (const camera of this.cameras.values()) camera.stop();
  }

  connect() {
    this.retryAt = 0;
    this.source?.close();
    this.source = new EventSource(EVENTS);
    this.source.addEventListener("state", (event) => this.take(JSON.parse(event.data)));
    this.source.addEventListener("server", (event) => this.served(JSON.parse(event.data)));
    // Not left to `check`: in the background a browser runs timers once a minute.
    this.source.addEventListener("error", () => this.lose());
  }

  lose() {
    this.lost = true;
    this.link.textContent = this.refusal || "No connection to framebus, trying again …";
    for (const camera of this.cameras.values()) camera.lose();
  }

  // An EventSource does not tell why it was refused. So the same is asked for in a way that does,
  // until there is no refusal.
  async ask() {
    this.retryAt = Date.now() + SILENT_MS; // for want of an answer
    const source = this.source;
    const options = { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(SILENT_MS) };
    const response = await fetch(EVENTS, options).catch(() => null);
    if (response?.ok) response.body.cancel().catch(() => {});
    const problem = response && !response.ok ? await response.json().catch(() => null) : null;
    if (source !== this.source) return; // the page was left, and is shown again
    if (response?.ok) {
      this.heard = Date.now();
      this.connect();
      return;
    }
    this.refusal = sentences(problem?.message, problem?.remedy);
    const after = Number(response?.headers.get("Retry-After")) * 1000;
    this.retryAt = Date.now() + (after || (problem ? REFUSED_MS : 0));
    this.lose();
  }

  // A browser does not tell when a live picture's connection is lost. Which pictures went with a
  // worker that was killed is not known, so all are asked for again. (One that is merely replaced
  // hands its connections over.)
  served(told) {
    const lost = this.lostViewers !== undefined && told.lost !== this.lostViewers;
    this.lostViewers = told.lost;
    if (!lost) return;
    for (const camera of this.cameras.values()) if (camera.live) camera.start();
  }

  take(told) {
    this.heard = Date.now();
    if (this.lost) {
      // The web tier was away, and with it every picture.
      this.lost = false;
      this.refusal = "";
      this.link.textContent = "";
      for (const camera of this.cameras.values()) camera.start();
    }
    this.camera(told.camera).show(told);
  }

  camera(name) {
    let camera = this.cameras.get(name);
    if (!camera) {
      camera = new Camera(name, this.cameras.size < LIVE_MAX);
      this.cameras.set(name, camera);
      this.grid.append(camera.card);
      this.grid.classList.toggle("single", this.cameras.size === 1);
      document.title = `${[...this.cameras.keys()].join(", ")} · framebus`;
      camera.start();
    }
    return camera;
  }

  check() {
    if (Date.now() < this.retryAt) return;
    const silent = Date.now() - this.heard > SILENT_MS;
    const broken = this.source.readyState !== EventSource.OPEN;
    if (silent || broken) this.lose();
    // A browser gives up on some failures (a 502 of a proxy), and none notices a dead network.
    if (this.source.readyState === EventSource.CLOSED) this.ask();
    else if (silent) {
      this.heard = Date.now();
      this.connect();
    }
  }
}

const page = new Page();
page.start();
addEventListener("pagehide", () => page.stop());
document.addEventListener("visibilitychange", () => {
  for (const camera of page.cameras.values()) if (camera.rests) camera.look();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) page.start(); // back from the browser's cache of pages
});
