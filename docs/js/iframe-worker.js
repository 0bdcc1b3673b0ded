// Browsers start no workers for pages that are read from a disk. There, the worker that searches
// the site runs in a hidden frame, and says what a worker says.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.appendChild(frame);
      const inside = frame.contentWindow;
      const listeners = [];
      const load = (source) => new Promise((done, failed) => {
        const script = inside.document.createElement("script");
        script.src = source;
        script.onload = done;
        script.onerror = failed;
        inside.document.head.appendChild(script);
      });
      inside.importScripts = (...sources) =>
        sources.reduce((before, source) => before.then(() => load(source)), Promise.resolve());
      inside.postMessage = (data) => {
        const message = new MessageEvent("message", { data });
        this.dispatchEvent(message);
        this.onmessage?.(message);
      };
      inside.addEventListener = (kind, listener) => kind === "message" && listeners.push(listener);
      this.started = load(address);
      this.send = (data) => {
        const message = new MessageEvent("message", { data });
        for (const listener of listeners) listener.call(inside, message);
        inside.onmessage?.(message);
      };
    }

    postMessage(data) {
      this.started.then(() => this.send(data));
    }

    terminate() {}
  };
  window.IFrameWorker = window.Worker;
}
