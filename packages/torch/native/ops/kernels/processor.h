// The kinds of x86 processors that kernels are compiled for: x86-64-v4, x86-64-v3, and any.
#pragma once

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

namespace promptloss {

enum class Processor { basic, avx2, avx512 };

inline Processor this_processor() {
  static const Processor found = [] {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("bmi2"))
      return Processor::basic;
    const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
    return wide ? Processor::avx512 : Processor::avx2;
  }();
  return found;
}

}  // namespace promptloss

#endif
