import { isStale, merged, pause } from "c/smsPages";

const text = (id, at, state = "sent") => ({ id, at, state });

describe("merged", () => {
  it("shows the oldest first, whichever order the pages come in", () => {
    const newest = [text("c", "2026-05-03T10:02:00Z"), text("b", "2026-05-03T10:01:00Z")];
    const older = [text("a", "2026-05-03T10:00:00Z")];
    const ids = (shown) => shown.map((each) => each.id);
    expect(ids(merged(merged([], newest), older))).toEqual(["a", "b", "c"]);
    expect(ids(merged(merged([], older), newest))).toEqual(["a", "b", "c"]);
  });

  it("replaces a text by its newer state and keeps the others", () => {
    const shown = [text("a", "2026-05-03T10:00:00Z"), text("b", "2026-05-03T10:01:00Z")];
    expect(merged(shown, [text("b", "2026-05-03T10:01:00Z", "delivered")]).map((each) => each.state)).toEqual([
      "sent",
      "delivered",
    ]);
  });

  it("keeps texts of one moment in one order", () => {
    const at = "2026-05-03T10:00:00Z";
    expect(merged([text("b", at)], [text("a", at)])).toEqual(merged([text("a", at)], [text("b", at)]));
  });
});

describe("isStale", () => {
  it("tells an answer that is older than what is shown", () => {
    expect(isStale({ as_of: "2026-05-03T10:00:00Z" }, "2026-05-03T10:00:05Z")).toBe(true);
    expect(isStale({ as_of: "2026-05-03T10:00:05Z" }, "2026-05-03T10:00:00Z")).toBe(false);
    expect(isStale({ as_of: "2026-05-03T10:00:05Z" }, undefined)).toBe(false);
  });
});

describe("pause", () => {
  it("grows with each failure, up to two minutes", () => {
    expect([0, 1, 2, 3].map((failures) => pause(5, failures))).toEqual([5000, 10000, 20000, 40000]);
    expect(pause(5, 50)).toBe(120000);
  });
});
