/**
 * Pictures for messages, made here.
 */
import * as zlib from 'zlib';

import { expect, type Lab } from './lab';

/** A picture of one colour with a dark line, as PNG. */
export function png(red: number, width = 640, height = 480): Buffer {
  const row = (y: number) => {
    const line = Buffer.alloc(1 + width * 3);
    for (let x = 0; x < width; x++) {
      const dark = Math.abs(y - (height * x) / width) < 4;
      line.set(dark ? [20, 20, 60] : [red, 230, 250], 1 + x * 3);
    }
    return line;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const pixels = Buffer.concat(
    Array.from({ length: height }, (_, y) => row(y))
  );
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', zlib.deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0))
  ]);
}

function chunk(kind: string, content: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(kind), content]);
  const whole = Buffer.alloc(named.length + 8);
  whole.writeUInt32BE(content.length, 0);
  named.copy(whole, 4);
  whole.writeUInt32BE(zlib.crc32(named), named.length + 4);
  return whole;
}

/** Give a message of a source, by its id or key, a picture. */
export async function givePicture(
  lab: Lab,
  name: string,
  picture: Buffer,
  source?: string
): Promise<void> {
  const query = source ? `?source=${encodeURIComponent(source)}` : '';
  const response = await fetch(
    `${lab.url}/jupyterlab-notify/ingest/${name}/image${query}`,
    {
      method: 'PUT',
      headers: { Authorization: `Bearer ${lab.token}` },
      body: new Uint8Array(picture)
    }
  );
  expect(response.status, await response.text()).toBe(200);
}
