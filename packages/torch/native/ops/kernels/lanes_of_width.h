// Floats, as many at a time as PROMPTLOSS_VECTOR_BYTES holds, in the compiler's vector types. To be included in a namespace, by
// lanes.h and each_processor.h, once for each width: hence no guard.

constexpr int64_t kLanes = PROMPTLOSS_VECTOR_BYTES / 4;

typedef float Floats __attribute__((vector_size(PROMPTLOSS_VECTOR_BYTES)));
typedef int32_t Ints __attribute__((vector_size(PROMPTLOSS_VECTOR_BYTES)));
typedef uint32_t Words __attribute__((vector_size(PROMPTLOSS_VECTOR_BYTES)));
typedef uint16_t Halves __attribute__((vector_size(PROMPTLOSS_VECTOR_BYTES / 2)));

PROMPTLOSS_INLINE Floats all(float value) { return value - Floats{}; }

PROMPTLOSS_INLINE Floats load(const float* from) {
  Floats result;
  std::memcpy(&result, from, sizeof(result));
  return result;
}

PROMPTLOSS_INLINE void store(float* to, Floats value) { std::memcpy(to, &value, sizeof(value)); }

PROMPTLOSS_INLINE Floats load(const BFloat16* from) {
  Halves halves;
  std::memcpy(&halves, from, sizeof(halves));
  return (Floats)(__builtin_convertvector(halves, Words) << 16);
}

/** Rounds to the nearest, ties to even, as libtorch does; a number that is none stays one. */
PROMPTLOSS_INLINE void store(BFloat16* to, Floats value) {
  const Words bits = (Words)value;
  const Words rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const Words not_a_number = (Words)(value != value);
  const Halves halves = __builtin_convertvector((rounded & ~not_a_number) | (0x7fc0u & not_a_number), Halves);
  std::memcpy(to, &halves, sizeof(halves));
}

/** One element. */
PROMPTLOSS_INLINE void put(float* to, float value) { *to = value; }

PROMPTLOSS_INLINE void put(BFloat16* to, float value) {
  BFloat16 lanes[kLanes];
  store(lanes, all(value));
  *to = lanes[0];
}

PROMPTLOSS_INLINE float to_float(float value) { return value; }

PROMPTLOSS_INLINE float to_float(BFloat16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}

/** The larger of each pair; a number that is none in `b` is left out. */
PROMPTLOSS_INLINE Floats larger(Floats a, Floats b) { return b > a ? b : a; }

PROMPTLOSS_INLINE float sum(Floats value) {
  float total = 0;
  for (int i = 0; i < kLanes; ++i) total += value[i];
  return total;
}

/** The same by halves, which depend on each other less. */
PROMPTLOSS_INLINE float halved_sum(Floats value) {
  float parts[kLanes];
  store(parts, value);
  for (int half = kLanes / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) parts[i] += parts[i + half];
  return parts[0];
}

PROMPTLOSS_INLINE float largest(Floats value) {
  float most = value[0];
  for (int i = 1; i < kLanes; ++i) most = value[i] > most ? value[i] : most;
  return most;
}

/**
 * e^x for x at most some rounding above 0, within 2 units in the last place; below -87.3, where floats end, about
 * 1e-38. x = n ln 2 + r: 2^n is put together from bits, e^r is a polynomial (Cephes' expf by S. Moshier).
 */
PROMPTLOSS_INLINE Floats exp_of_negative(Floats x) {
  const Floats lowest = all(-87.3f);
  x = x < lowest ? lowest : x;
  const Ints n = __builtin_convertvector(x * 1.44269504088896341f - 0.5f, Ints);
  const Floats whole = __builtin_convertvector(n, Floats);
  // ln 2 in two parts, of which the first times n is exact.
  const Floats r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
  Floats p = all(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  return p * (Floats)((n + 127) << 23);
}
