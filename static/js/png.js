/**
 * Reads the service's label and people maps: 8-bit palette PNGs whose pixel values are ids.
 *
 * Decoded here, because a canvas would give colours instead of ids, and in browsers that guard
 * against fingerprinting not even exact ones. Only what our encoder writes is read (PNG 1.2:
 * colour type 3, bit depth 8, no interlacing); anything else is an error.
 */

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** {width, height, ids: Uint8Array row by row, palette: Uint8Array of RGB triples} of a file's bytes. */
export async function readPalettePng(bytes) {
  const { header, palette, data } = readChunks(bytes);
  const width = header.getUint32(0);
  const height = header.getUint32(4);
  if (header.getUint8(8) !== 8 || header.getUint8(9) !== 3 || header.getUint8(12) !== 0) {
    throw new Error("not an 8-bit palette PNG without interlacing");
  }
  const stream = new Blob(data).stream().pipeThrough(new DecompressionStream("deflate"));
  const rows = new Uint8Array(await new Response(stream).arrayBuffer());
  if (rows.length !== (width + 1) * height) throw new Error("PNG data of the wrong length");
  return { width, height, ids: undoFilters(rows, width, height), palette };
}

/** Bytes of base64 text. */
export function fromBase64(encoded) {
  const binary = atob(encoded);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

function readChunks(bytes) {
  if (SIGNATURE.some((byte, i) => bytes[i] !== byte)) throw new Error("not a PNG");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = { header: null, palette: null, data: [] };
  for (let at = SIGNATURE.length; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (kind === "IHDR") found.header = new DataView(body.buffer, body.byteOffset, body.byteLength);
    else if (kind === "PLTE") found.palette = body.slice();
    else if (kind === "IDAT") found.data.push(body);
    at += length + 12; // length, kind, body, checksum
  }
  if (!found.header || !found.palette) throw new Error("a PNG without header or palette");
  return found;
}

/** Pixel values of filtered rows, each led by its filter's number (PNG 1.2, chapter 6). */
function undoFilters(rows, width, height) {
  const ids = new Uint8Array(width * height);
  const above = (at) => (at >= width ? ids[at - width] : 0);
  for (let y = 0; y < height; y++) {
    const from = y * (width + 1);
    const filter = rows[from];
    for (let x = 0, at = y * width; x < width; x++, at++) {
      const left = x ? ids[at - 1] : 0;
      let guess = 0;
      if (filter === 1) guess = left;
      else if (filter === 2) guess = above(at);
      else if (filter === 3) guess = (left + above(at)) >> 1;
      else if (filter === 4) guess = paeth(left, above(at), x && y ? ids[at - width - 1] : 0);
      ids[at] = rows[from + 1 + x] + guess;
    }
  }
  return ids;
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const toLeft = Math.abs(guess - left);
  const toUp = Math.abs(guess - up);
  const toCorner = Math.abs(guess - corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}
