// Protocol buffers, as far as the sinks write and read them: https://protobuf.dev/programming-guides/encoding.

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}

/** A field of a protocol buffer: its number and wire type, then its value. */
export function field(number: number, type: number, value: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + type), ...(type === BYTES ? [varint(value.length)] : []), value]);
}

export function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

export function float(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

/** A text or a message inside a message. */
export function bytes(number: number, value: string | Buffer): Buffer {
  return field(number, BYTES, typeof value === "string" ? Buffer.from(value) : value);
}

/**
 * The first field of a number in a message: of a varint its value, of bytes these.
 * @throws {RangeError} for what is no message
 */
export function fieldOf(message: Buffer, wanted: number): number | Buffer | undefined {
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = message.readUInt8(at++);
      value += (byte % 128) * unit;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = next();
    const [number, type] = [Math.floor(tag / 8), tag % 8];
    if (type === VARINT) {
      const value = next();
      if (number === wanted) return value;
      continue;
    }
    if (type !== BYTES && type !== FIXED64 && type !== FIXED32)
      throw new RangeError(`a field of wire type ${type}`);
    const length = type === BYTES ? next() : type === FIXED64 ? 8 : 4;
    if (at + length > message.length) throw new RangeError("a field that goes beyond its message");
    if (number === wanted) return message.subarray(at, at + length);
    at += length;
  }
  return undefined;
}
