// How work is shared among threads: whoever is free takes the next piece.
#pragma once

#include <ATen/Parallel.h>

#include <atomic>

namespace promptloss {

/**
 * Runs `body(task)` for each of `tasks`, on all threads. Pieces of unequal size, or a thread that the system holds up,
 * keep the others waiting for one piece, where shares that are fixed beforehand keep them for all that is left.
 */
template <typename Body>
void share(int64_t tasks, const Body& body) {
  std::atomic<int64_t> next{0};
  const int64_t threads = std::min<int64_t>(tasks, at::get_num_threads());
  at::parallel_for(0, threads, 1, [&](int64_t, int64_t) {
    for (int64_t task = next++; task < tasks; task = next++) body(task);
  });
}

}  // namespace promptloss
