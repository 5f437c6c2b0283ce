// promptloss::bf16_peak: what the processor's bfloat16 units do in a second with operands in their registers, which no
// product can exceed. For benchmarks, which say what share of it they reach.
#include "../kernels/peak.h"

#include <ATen/Parallel.h>

#include <chrono>
#include <vector>

namespace promptloss::peak {

using Clock = std::chrono::steady_clock;

double bf16_peak(double seconds) {
  const Bf16Turn turn = bf16_turn();
  if (turn == nullptr) return 0;
  const int64_t threads = at::get_num_threads();
  std::vector<double> rates(static_cast<size_t>(threads), 0);
  at::parallel_for(0, threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto start = Clock::now();
      double work = 0, took = 0;
      while (took < seconds) {
        work += turn();
        took = std::chrono::duration<double>(Clock::now() - start).count();
      }
      rates[static_cast<size_t>(i)] = work / took;
    }
  });
  double total = 0;
  for (const double rate : rates) total += rate;
  return total;
}

}  // namespace promptloss::peak
