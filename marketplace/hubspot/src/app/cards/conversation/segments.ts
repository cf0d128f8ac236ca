// How many SMS segments does a text take while it is being typed?
//
// An estimate beside the connector's preview, by the same rules as its connector/domain/segments.py: the alphabet of
// 3GPP TS 23.038, parts as in TS 23.040 with a header of six octets. Vectors made by that module are the test.

export type Encoding = "gsm7" | "ucs2";

export interface Estimate {
  readonly encoding: Encoding;
  readonly segments: number;
  /** Septets (GSM-7) or UTF-16 code units (UCS-2). */
  readonly characters: number;
  /** How many more fit before another segment begins. */
  readonly left: number;
}

const BASIC =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
  "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENSION = "\f^{}\\[~]|€"; // two septets each: ESC and the character
const WEIGHT: ReadonlyMap<string, number> = new Map([
  ...Array.from(BASIC, (char) => [char, 1] as const),
  ...Array.from(EXTENSION, (char) => [char, 2] as const),
]);

const SINGLE = { gsm7: 160, ucs2: 70 } as const; // 140 octets
const PART = { gsm7: 153, ucs2: 67 } as const; // 140 octets less a header of 6

/** Measure a text as it is; see `smart_characters.ts` for what is replaced before. */
export function measure(text: string): Estimate {
  const encoding: Encoding = Array.from(text).every((char) => WEIGHT.has(char)) ? "gsm7" : "ucs2";
  const characters = weigh(text, encoding);
  if (characters <= SINGLE[encoding]) {
    return { encoding, segments: text === "" ? 0 : 1, characters, left: SINGLE[encoding] - characters };
  }
  const parts = fill(text, encoding);
  return { encoding, segments: parts.count, characters, left: PART[encoding] - parts.lastUsed };
}

function weigh(text: string, encoding: Encoding): number {
  if (encoding === "ucs2") return text.length;
  return Array.from(text).reduce((sum, char) => sum + (WEIGHT.get(char) ?? 0), 0);
}

/** Fill parts greedily; what does not fit moves whole to the next part and leaves a gap. */
function fill(text: string, encoding: Encoding): { count: number; lastUsed: number } {
  let count = 1;
  let lastUsed = 0;
  for (const atom of atoms(text, encoding)) {
    const weight = weigh(atom, encoding);
    if (lastUsed + weight > PART[encoding]) {
      count += 1;
      lastUsed = 0;
    }
    lastUsed += weight;
  }
  return { count, lastUsed };
}

/** The pieces that are never cut. */
function atoms(text: string, encoding: Encoding): string[] {
  if (encoding === "gsm7") return text.match(/\r\n|[^]/gu) ?? [];
  return clusters(text).flatMap((cluster) => (cluster.length <= PART.ucs2 ? [cluster] : Array.from(cluster)));
}

/** What a reader sees as one character; code points where the browser knows no better, which is off by one at most. */
function clusters(text: string): string[] {
  if (typeof Intl.Segmenter === "undefined") return Array.from(text);
  const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
  return Array.from(segmenter.segment(text), (each) => each.segment);
}
