// Products of bfloat16 with operands in registers, and nothing else, for the fastest units that the processor has.
#include "peak.h"

#include <cstdint>

#if defined(__x86_64__) && defined(__linux__) && (__GNUC__ >= 11 || __clang_major__ >= 11)
#include "products_amx.h"
#define PROMPTLOSS_HAS_PEAK 1
#endif

namespace promptloss {
namespace {

/** Turns of a loop between two looks at the clock. */
constexpr int64_t kTurns = 20'000;

#ifdef PROMPTLOSS_HAS_PEAK

/** @return operations of some turns: 12 chains of products, more than the units need to be busy all the time. */
__attribute__((target("avx512f,avx512bf16"))) double turn_vectors() {
  constexpr int kChains = 12;
  __m512 sums[kChains];
  for (auto& sum : sums) sum = _mm512_setzero_ps();
  __m512bh a = (__m512bh)_mm512_set1_epi32(0x3f803f80), b = a;
  for (int64_t i = 0; i < kTurns; ++i) {
    // The compiler must not know the operands, or it would multiply once.
    asm volatile("" : "+v"(a), "+v"(b));
    for (auto& sum : sums) sum = _mm512_dpbf16_ps(sum, a, b);
  }
  for (auto& sum : sums) asm volatile("" : : "v"(sum));
  return kTurns * kChains * 16.0 * 2 * 2;
}

__attribute__((target("amx-tile,amx-bf16"))) double turn_tiles() {
  alignas(64) static const uint16_t zeros[512] = {};
  HardwareTiles::open();
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_loadd(4, zeros, 64);
  _tile_loadd(5, zeros, 64);
  _tile_loadd(6, zeros, 64);
  _tile_loadd(7, zeros, 64);
  for (int64_t i = 0; i < kTurns; ++i) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  HardwareTiles::close();
  return kTurns * 4 * (16.0 * 16 * 32 * 2);
}

#endif

}  // namespace

Bf16Turn bf16_turn() {
#ifdef PROMPTLOSS_HAS_PEAK
  if (has_tiles()) return turn_tiles;
  if (__builtin_cpu_supports("avx512bf16")) return turn_vectors;
#endif
  return nullptr;
}

}  // namespace promptloss
