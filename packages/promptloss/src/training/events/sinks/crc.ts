// Cyclic redundancy checks of 32 bits: TFRecord's, which is CRC-32C, and that of zip and PNG, which W&B's files have.
// node:zlib has the second from Node 22 on.

/** A table for a polynomial that is written with its bits reversed. */
function tableOf(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    return value;
  });
}

/** 0x1EDC6F41, Castagnoli's. */
const CASTAGNOLI = tableOf(0x82f63b78);

/** 0x04C11DB7, of ISO 3309. */
const ISO = tableOf(0xedb88320);

function crc(bytes: Uint8Array, table: Uint32Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = table[(value ^ byte) & 0xff]! ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

export function crc32c(bytes: Uint8Array): number {
  return crc(bytes, CASTAGNOLI);
}

export function crc32(bytes: Uint8Array): number {
  return crc(bytes, ISO);
}

/**
 * As TFRecord stores it: four bytes, little-endian, rotated and offset so that a checksum of checksums is no trivial
 * one.
 */
export function maskedCrc32c(bytes: Uint8Array): Buffer {
  const value = crc32c(bytes);
  const masked = Buffer.alloc(4);
  masked.writeUInt32LE((((value >>> 15) | (value << 17)) + 0xa282ead8) >>> 0);
  return masked;
}
