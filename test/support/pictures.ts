import { crc32, deflateSync } from 'node:zlib';

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

export interface Drawn {
  readonly width?: number;
  readonly height?: number;
  /** Written into it, so that no two are the same. */
  readonly text?: string;
  /** Of how many bytes it is, where it is to have more than it needs. */
  readonly bytes?: number;
}

/** A grey picture that any program opens. */
export function pngOf({ width = 320, height = 200, text = '', bytes = 1_500 }: Drawn = {}): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.writeUInt8(8, 8); // bits a pixel, and grey
  const pixels = deflateSync(Buffer.alloc((width + 1) * height));
  const parts = [Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head), chunk('tEXt', Buffer.from(`Title\0${text}`))];
  const end = [chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))];
  const rest = bytes - Buffer.concat([...parts, ...end]).length - 12;
  return Buffer.concat([...parts, ...(rest < 0 ? [] : [chunk('prVt', Buffer.alloc(rest, 0xfe))]), ...end]);
}

/** The segments of a JPEG of this size, with nothing to be seen in it. */
export function jpegOf(width = 320, height = 200, bytes = 1_500): Buffer {
  const frame = Buffer.from('ffc0000b080000000001011100', 'hex');
  frame.writeUInt16BE(height, 5);
  frame.writeUInt16BE(width, 7);
  const head = Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex');
  const scan = Buffer.from('ffda0008010100003f00', 'hex');
  const data = Buffer.alloc(Math.max(0, bytes - head.length - frame.length - scan.length - 2), 0x55);
  return Buffer.concat([head, frame, scan, data, Buffer.from('ffd9', 'hex')]);
}
