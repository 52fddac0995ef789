/**
 * The socket of a page: greeting, clock, reconnecting. Messages are those of `kinodom_common.contracts.rooms`.
 */
import { io } from "socket.io-client";
import { get } from "../page/http.js";
import { Clock, slept } from "./clock.js";
import { backoff } from "./timeline.js";

const RESEND_FOR_MS = 8000;
const STEADY_MS = 5000; // a connection that held this long was a good one
const NEW_TOKEN_GAP_MS = 60_000;

/**
 * @typedef {object} Hearing what a page wants to hear
 * @property {(state: any) => void} [state]
 * @property {(vec: import("./timeline.js").Vec) => void} [vec]
 * @property {(ack: any) => void} [ack]
 * @property {(presence: any) => void} [presence]
 * @property {(event: any) => void} [download]
 * @property {(status: any) => void} [queue]
 * @property {(connected: boolean) => void} [link]
 * @property {() => void} [gone]
 */

export class Connection {
  /**
   * @param {{token: string, room: string | null, downloads: boolean}} greeting @param {Hearing} hearing
   * @param {() => number} [now] local steady clock, ms
   */
  constructor(greeting, hearing, now = () => performance.now()) {
    this.greeting = greeting;
    this.hearing = hearing;
    this.now = now;
    this.clock = new Clock();
    this.attempt = 0;
    this.connected_ms = 0;
    /** @type {number | null} set by the house when it restarts */
    this.asked_delay_ms = null;
    this.closed = false;
    this.renewed_ms = -Infinity;
    /** @type {Map<string, {op: object, since_ms: number}>} */
    this.pending = new Map();
    this.socket = io("/sync", { path: "/socket.io", transports: ["websocket"], reconnection: false, autoConnect: false });
    this.listen();
    this.socket.connect();
  }

  listen() {
    const { socket, hearing } = this;
    socket.on("connect", () => this.connected());
    socket.on("disconnect", () => this.lost());
    socket.on("connect_error", () => this.lost());
    socket.on("state", (state) => {
      hearing.state?.(state);
      this.resend();
    });
    socket.on("vec", (vec) => hearing.vec?.(vec));
    socket.on("presence", (presence) => hearing.presence?.(presence));
    socket.on("pong", (pong) => this.clock.ponged(pong.c, this.now(), pong.s1, pong.s2));
    socket.on("ack", (ack) => {
      this.pending.delete(ack.opid);
      hearing.ack?.(ack);
    });
    socket.on("bye", (bye) => {
      this.asked_delay_ms = Number(bye?.after_ms) || 0;
    });
    for (const name of ["gone", "closed"]) socket.on(name, () => this.end());
    socket.on("oops", (oops) => {
      if (oops?.code === "bad_token") void this.greetAnew();
    });
    socket.on("download", (event) => hearing.download?.(event));
    socket.on("queue_status", (status) => hearing.queue?.(status));
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.refreshClock();
    });
    window.addEventListener("online", () => this.retryNow());
  }

  connected() {
    this.connected_ms = this.now();
    this.socket.emit("hello", { proto: 1, ...this.greeting });
    this.hearing.link?.(true);
    this.refreshClock();
  }

  /** The token is a day old, as an open page may be: asks the house who this browser is, and greets again. */
  async greetAnew() {
    if (this.now() - this.renewed_ms < NEW_TOKEN_GAP_MS) return;
    this.renewed_ms = this.now();
    const me = await get("/api/v1/me").catch(() => null);
    if (!me) return;
    this.greeting.token = me.member_token;
    if (this.socket.connected) this.socket.emit("hello", { proto: 1, ...this.greeting });
  }

  lost() {
    clearTimeout(this.pinger);
    if (this.closed) return;
    if (this.connected_ms && this.now() - this.connected_ms > STEADY_MS) this.attempt = 0;
    this.connected_ms = 0;
    this.hearing.link?.(false);
    const wait_ms = this.asked_delay_ms ?? backoff(this.attempt, Math.random());
    this.asked_delay_ms = null;
    this.attempt += 1;
    clearTimeout(this.retrier);
    this.retrier = setTimeout(() => this.socket.connect(), wait_ms);
  }

  retryNow() {
    if (this.closed || this.socket.connected) return;
    clearTimeout(this.retrier);
    this.attempt = 0;
    this.socket.connect();
  }

  end() {
    this.closed = true;
    this.socket.disconnect();
    this.hearing.gone?.();
  }

  refreshClock() {
    if (!this.greeting.room) return;
    this.clock.drop();
    clearTimeout(this.pinger);
    if (this.socket.connected) this.ping(this.now());
  }

  /** @param {number} due_ms */
  ping(due_ms) {
    const now_ms = this.now();
    if (slept(due_ms, now_ms) && !document.hidden) this.clock.drop();
    this.socket.emit("ping", { c: now_ms });
    const next_ms = this.clock.pinged(now_ms);
    this.pinger = setTimeout(() => this.ping(now_ms + next_ms), next_ms);
  }

  /** Sends an operation; it is sent again with the same id if the connection broke before the answer. @param {any} op */
  act(op) {
    this.pending.set(op.opid, { op, since_ms: this.now() });
    if (this.socket.connected) this.socket.emit("op", op);
  }

  resend() {
    for (const [opid, { op, since_ms }] of this.pending) {
      if (since_ms > this.connected_ms) continue; // went out over this connection
      this.pending.delete(opid);
      if (this.now() - since_ms < RESEND_FOR_MS) this.act(op);
    }
  }

  /** @param {{drift_ms: number, rtt_ms: number, hidden: boolean}} report */
  report(report) {
    if (this.socket.connected) this.socket.emit("report", report);
  }

  get isUp() {
    return this.socket.connected;
  }
}
