// float32 → matrices in few bits: NF4 with double quantization, as QLoRA has it, and Q8_0.
//
// Plain twins: reference/normal-float.ts, and promptloss' models/gguf/blocks/quantize.ts for Q8_0, byte for byte both
// (blocks.test.ts holds them together).
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "blocks.h"
#include "share.h"

namespace promptloss {

// Appendix E of arXiv 2305.14314.
const float kNormalFloat[kNormalFloats] = {
    -1.0f,
    -0.6961928009986877f,
    -0.5250730514526367f,
    -0.39491748809814453f,
    -0.28444138169288635f,
    -0.18477343022823334f,
    -0.09105003625154495f,
    0.0f,
    0.07958029955625534f,
    0.16093020141124725f,
    0.24611230194568634f,
    0.33791524171829224f,
    0.44070982933044434f,
    0.5626170039176941f,
    0.7229568362236023f,
    1.0f};

namespace {

/**
 * The dynamic map of 8 bits (Dettmers, arXiv 1511.04561), as bitsandbytes makes it: for each power of ten from 1e-6 to 1,
 * twice as many values as for the one before, evenly spread over its upper nine tenths; both signs; 0 and 1.
 */
std::array<float, 256> made_dynamic_map() {
  std::array<float, 256> map{};
  size_t place = 0;
  for (int i = 0; i < 7; ++i) {
    const int items = 1 << i;
    const double power = std::pow(10.0, i - 6);
    for (int item = 0; item < items; ++item) {
      const auto value = static_cast<float>(power * (0.1 + 0.9 * (item + 0.5) / items));
      map[place++] = value;
      map[place++] = -value;
    }
  }
  map[place++] = 0;
  map[place++] = 1;
  std::sort(map.begin(), map.end());
  return map;
}

/** The place of the nearest of `count` rising values; of two that are as near, the lower one's. */
uint8_t nearest(const float* values, int64_t count, float wanted) {
  const auto* above = std::lower_bound(values, values + count, wanted);
  if (above == values) return 0;
  if (above == values + count) return static_cast<uint8_t>(count - 1);
  const double to_above = static_cast<double>(*above) - wanted, to_below = static_cast<double>(wanted) - above[-1];
  return static_cast<uint8_t>(above - values - (to_below <= to_above ? 1 : 0));
}

/** Of whole vectors; a number that is none is left out. */
PROMPTLOSS_INLINE float largest_magnitude(const float* from, int64_t count) {
  Floats most = all(0);
  for (int64_t i = 0; i < count; i += kLanes) {
    const Floats values = load(from + i);
    most = larger(most, larger(values, -values));
  }
  return largest(most);
}

/**
 * Above each of these a code is nearer than the one below it: the midpoints between two, rounded down, above which a float
 * is exactly if it is above the midpoint itself.
 */
std::array<float, kNormalFloats - 1> made_midpoints() {
  std::array<float, kNormalFloats - 1> points{};
  for (size_t i = 0; i < points.size(); ++i) {
    const double exact = (static_cast<double>(kNormalFloat[i]) + kNormalFloat[i + 1]) / 2;
    points[i] = static_cast<float>(exact);
    if (points[i] > exact) points[i] = std::nextafter(points[i], -1.0f);
  }
  return points;
}

/** Codes of a block, two in a byte. @return its largest magnitude */
PROMPTLOSS_CLONES float normal_float_codes(const float* from, const float* midpoints, uint8_t* to) {
  const float most = largest_magnitude(from, kNormalBlock);
  int32_t codes[kNormalBlock];
  for (int64_t i = 0; i < kNormalBlock; i += kLanes) {
    const Floats share = most == 0 ? all(0) : load(from + i) / most;
    Ints code = {};
    for (int64_t point = 0; point < kNormalFloats - 1; ++point) code -= share > midpoints[point];
    std::memcpy(codes + i, &code, sizeof(code));
  }
  for (int64_t i = 0; i < kNormalBlock; i += 2) to[i / 2] = static_cast<uint8_t>(codes[i] << 4 | codes[i + 1]);
  return most;
}

/** Codes of a row's largest magnitudes, and what they are measured by. */
void scale_codes(const float* most, int64_t blocks, float offset, uint8_t* to) {
  uint8_t* groups = to + blocks;
  for (int64_t first = 0; first < blocks; first += kScaleGroup, groups += sizeof(float)) {
    const int64_t last = std::min(blocks, first + kScaleGroup);
    float widest = 0;
    for (int64_t b = first; b < last; ++b) widest = std::max(widest, std::fabs(most[b] - offset));
    for (int64_t b = first; b < last; ++b)
      to[b] = nearest(dynamic_map(), 256, widest == 0 ? 0 : (most[b] - offset) / widest);
    std::memcpy(groups, &widest, sizeof(widest));
  }
  std::memcpy(groups, &offset, sizeof(offset));
}

void quantize_normal_float(const float* from, const BlockKind& kind, int64_t rows, int64_t columns, uint8_t* to) {
  static const auto midpoints = made_midpoints();
  const int64_t blocks = columns / kNormalBlock, bytes = kind.row_bytes(columns);
  std::vector<float> most(static_cast<size_t>(rows * blocks));
  const auto each_row = [&](const auto& body) {
    divide(rows, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) body(row);
    });
  };
  each_row([&](int64_t row) {
    for (int64_t b = 0; b < blocks; ++b) {
      const float* block = from + row * columns + b * kNormalBlock;
      most[static_cast<size_t>(row * blocks + b)] =
          normal_float_codes(block, midpoints.data(), to + row * bytes + b * kNormalBlock / 2);
    }
  });
  double sum = 0;
  for (const float each : most) sum += each;
  const auto offset = static_cast<float>(most.empty() ? 0 : sum / static_cast<double>(most.size()));
  each_row([&](int64_t row) { scale_codes(most.data() + row * blocks, blocks, offset, to + row * bytes + columns / 2); });
}

/** The float16 nearest to a value that is not negative, ties to even, as two bytes; what is too large is infinite. */
void put_half(float value, uint8_t* to) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  uint32_t half;
  if (bits > 0x7f800000u)
    half = 0x7e00u;
  else if (bits >= 0x477ff000u)
    half = 0x7c00u;
  else if (bits >= 0x38800000u)
    half = (bits - 0x38000000u + 0xfffu + (bits >> 13 & 1u)) >> 13;
  else
    half = static_cast<uint32_t>(std::nearbyint(value * 0x1p24f));
  to[0] = static_cast<uint8_t>(half & 255u);
  to[1] = static_cast<uint8_t>(half >> 8);
}

PROMPTLOSS_CLONES void q8_block(const float* from, int64_t count, uint8_t* to) {
  const float d = largest_magnitude(from, count) / 127, inverse = d == 0 ? 0 : 1 / d;
  put_half(d, to);
  for (int64_t j = 0; j < count; ++j) {
    const float scaled = from[j] * inverse, whole = std::trunc(scaled), rest = scaled - whole;
    // Half away from zero, as C's roundf. A number that is none, or infinite, has no code: 0.
    const float code = whole + (rest >= 0.5f ? 1.0f : 0.0f) - (rest <= -0.5f ? 1.0f : 0.0f);
    to[2 + j] = code >= -127 && code <= 127 ? static_cast<uint8_t>(static_cast<int8_t>(code)) : 0;
  }
}

void quantize_q8(const float* from, const BlockKind& kind, int64_t rows, int64_t columns, uint8_t* to) {
  divide(rows * columns / kind.elements, 64, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) q8_block(from + b * kind.elements, kind.elements, to + b * kind.bytes);
  });
}

}  // namespace

const float* dynamic_map() {
  static const std::array<float, 256> map = made_dynamic_map();
  return map.data();
}

bool can_quantize(const BlockKind& kind) { return std::strcmp(kind.name, "NF4") == 0 || std::strcmp(kind.name, "Q8_0") == 0; }

void quantize(const float* from, const BlockKind& kind, int64_t rows, int64_t columns, uint8_t* to) {
  if (kind.bytes == 0)
    quantize_normal_float(from, kind, rows, columns, to);
  else
    quantize_q8(from, kind, rows, columns, to);
}

}  // namespace promptloss
