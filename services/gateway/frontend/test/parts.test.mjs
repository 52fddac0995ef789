import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { freshen, renewAfter } from "../src/links.js";
import { actionOf } from "../src/player/keys.js";
import { clockText, leftText, sizeText, speak, t, tn } from "../src/words.js";

afterEach(() => speak({}, "en"));

const link = { manifest_url: "/v/newSig/1900000000/ab/abcd/manifest.mpd", expires_at: 1_900_000_000 };

test("files of the running film are asked for under the newest link, ranges of the address and host kept", () => {
  assert.equal(freshen("http://kino:8080/v/old/1800000000/ab/abcd/v.mp4", link), "http://kino:8080/v/newSig/1900000000/ab/abcd/v.mp4");
  assert.equal(freshen("/v/old/1800000000/ab/abcd/a-ru.mp4?x=1", link), "/v/newSig/1900000000/ab/abcd/a-ru.mp4?x=1");
});

test("a file of another film, or one that is not signed, is left alone", () => {
  assert.equal(freshen("/v/old/1800000000/cd/cdef/v.mp4", link), "/v/old/1800000000/cd/cdef/v.mp4");
  assert.equal(freshen("/v/old/1800000000/ab/abcde/v.mp4", link), "/v/old/1800000000/ab/abcde/v.mp4");
  assert.equal(freshen("/static/app.js", link), "/static/app.js");
  assert.equal(freshen("data:text/plain,x", link), "data:text/plain,x");
});

test("a link is renewed well before its end, and not in a hurry when this clock is wrong", () => {
  assert.equal(renewAfter(6 * 3600, 0), (6 * 3600 - 600) * 1000);
  assert.equal(renewAfter(600, 0), 300_000);
  assert.equal(renewAfter(0, 9e9), 60_000);
  assert.equal(renewAfter(9e12, 0), 2 ** 31 - 1);
});

const key = (code, facts = {}) => actionOf({ code, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, ...facts });

test("keys go by their place, so a Cyrillic layout changes nothing", () => {
  assert.deepEqual(key("KeyK"), { act: "toggle", by: 0 });
  assert.deepEqual(key("KeyJ"), { act: "by", by: -10 });
  assert.deepEqual(key("ArrowRight", { shiftKey: true }), { act: "by", by: 80 });
  assert.deepEqual(key("Digit7"), { act: "tenth", by: 7 });
  assert.deepEqual(key("Slash", { shiftKey: true }), { act: "help", by: 0 });
});

test("keys with Ctrl, Alt or Meta belong to the browser, and a held K does not flicker", () => {
  for (const held of ["ctrlKey", "altKey", "metaKey"]) assert.equal(key("KeyF", { [held]: true }), null);
  assert.equal(key("KeyK", { repeat: true }), null);
  assert.deepEqual(key("KeyL", { repeat: true }), { act: "by", by: 10 });
});

test("Russian plurals are right from 0 to 125", () => {
  speak({ "%(n)s film": ["%(n)s фильм", "%(n)s фильма", "%(n)s фильмов"] }, "ru");
  for (let n = 0; n <= 125; n += 1) {
    const tens = n % 100;
    const ones = n % 10;
    const many = (tens >= 11 && tens <= 14) || ones === 0 || ones >= 5;

    assert.equal(tn("%(n)s film", "%(n)s films", n), `${n} ${many ? "фильмов" : ones === 1 ? "фильм" : "фильма"}`);
  }
  assert.equal(tn("%(n)s film", "%(n)s films", 1.5), "1,5 фильма");
});

test("a word that the dictionary lacks is said in English", () => {
  speak({ Off: "Выкл." }, "ru");

  assert.equal(t("Off"), "Выкл.");
  assert.equal(t("%(name)s, you", { name: "Ira" }), "Ira, you");
  assert.equal(tn("%(n)s person here", "%(n)s people here", 2), "2 people here");
});

test("times, sizes and what is left read as people read them", () => {
  assert.equal(clockText(3723), "1:02:03");
  assert.equal(clockText(NaN), "0:00");
  assert.equal(sizeText(1.5e9), "1.5 GB");
  assert.equal(leftText(61), "2 minutes left");
  assert.equal(leftText(0.2), "1 second left");
});
