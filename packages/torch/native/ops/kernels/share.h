// How kernels share their work among threads. The threads are libtorch's own, reached through two functions that
// operators/threads.cpp defines, so that no kernel includes a header of libtorch: those cost more than all else here.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace promptloss {

/** The threads that one operator may use. */
int64_t thread_count();

/** Runs `body` on ranges of at least `grain` that together are 0 to `count`, one a thread. As at::parallel_for. */
void run_ranges(int64_t count, int64_t grain, void (*body)(const void* context, int64_t begin, int64_t end), const void* context);

/** `body(begin, end)` for ranges of equal size, for work of which each part takes as long as any other. */
template <typename Body>
void divide(int64_t count, int64_t grain, const Body& body) {
  const auto call = [](const void* context, int64_t begin, int64_t end) {
    (*static_cast<const Body*>(context))(begin, end);
  };
  run_ranges(count, grain, call, &body);
}

/**
 * `body(task)` for each of `tasks`: whoever is free takes the next. Pieces of unequal size, or a thread that the system
 * holds up, keep the others waiting for one piece, where shares that are fixed beforehand keep them for all that is left.
 */
template <typename Body>
void share(int64_t tasks, const Body& body) {
  std::atomic<int64_t> next{0};
  divide(std::min(tasks, thread_count()), 1, [&](int64_t, int64_t) {
    for (int64_t task = next++; task < tasks; task = next++) body(task);
  });
}

}  // namespace promptloss
