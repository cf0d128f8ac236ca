// How many SMS parts will a text take, as far as the page can tell before the connector has said?
//
// Alphabets and header sizes: 3GPP TS 23.038 and TS 23.040 §9.2.3.24.1. It counts as the connector does, whose own
// figures the tests hold it to (__tests__/vectors.json). What the connector says replaces it: it may spell characters
// differently before it sends.

const BASIC =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
  "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENSION = "\f^{}\\[~]|€"; // two septets each: ESC and the character

const WEIGHTS = new Map([...[...BASIC].map((each) => [each, 1]), ...[...EXTENSION].map((each) => [each, 2])]);
const SINGLE = { gsm7: 160, ucs2: 70 }; // 140 octets
const PART = { gsm7: 153, ucs2: 67 }; // 140 octets less a header of 6

/**
 * Gives `{encoding, segments, units, left}`: units are septets or UTF-16 code units, and `left` of them still fit into
 * the last part.
 */
export function measure(text) {
  const encoding = [...text].every((each) => WEIGHTS.has(each)) ? "gsm7" : "ucs2";
  const units = weight(text, encoding);
  if (units <= SINGLE[encoding]) {
    return { encoding, segments: text ? 1 : 0, units, left: SINGLE[encoding] - units };
  }
  const { segments, used } = filled(text, encoding);
  return { encoding, segments, units, left: PART[encoding] - used };
}

function weight(text, encoding) {
  return encoding === "gsm7" ? [...text].reduce((sum, each) => sum + WEIGHTS.get(each), 0) : text.length;
}

function filled(text, encoding) {
  let segments = 1;
  let used = 0;
  for (const piece of pieces(text, encoding)) {
    const heavy = weight(piece, encoding);
    if (used + heavy > PART[encoding]) {
      segments += 1;
      used = 0;
    }
    used += heavy;
  }
  return { segments, used };
}

// What is never cut: an ESC pair, CR LF, a character as people see it, unless that is longer than a part.
function pieces(text, encoding) {
  if (encoding === "gsm7") {
    return text.match(/\r\n|[^]/g);
  }
  return clusters(text).flatMap((cluster) => (cluster.length <= PART.ucs2 ? [cluster] : [...cluster]));
}

function clusters(text) {
  if (typeof Intl === "undefined" || !Intl.Segmenter) {
    return [...text];
  }
  const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
  return [...segmenter.segment(text)].map((each) => each.segment);
}
