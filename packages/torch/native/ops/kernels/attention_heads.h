// What attention of one sequence and one head works on. attention_lanes.h computes it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "lanes_common.h"
#include "workspace.h"

namespace promptloss {

/** Queries of a block: of 16, 32 and 64, 32 took least time on rows of about a hundred tokens. */
constexpr int64_t kQueries = 32;

/** One head: token t's units are at data + t * row. */
template <typename T>
struct Head {
  T* data;
  int64_t row;

  Head from(int64_t token) const { return {data + token * row, row}; }
};

/** One sequence, and the units of a head. */
struct Shape {
  /** Its tokens, which are keys; those from `past` on are queries too. */
  int64_t length;
  int64_t width;
  float scale;
  int64_t window;
  int64_t past = 0;

  /** The first key that a query sees. */
  int64_t first_key(int64_t query) const { return window > 0 ? std::max<int64_t>(0, query - window + 1) : 0; }
};

/** A matrix of floats: element (i, j) is at data[i * row + j * column]. */
struct Strided {
  const float* data;
  int64_t row;
  int64_t column;
};

/** What one thread works in on one sequence. */
struct Workspace {
  Buffer<float> query, key, value, key_t, value_t, scores, other, result, grad, grad_key, grad_value;

  void fit(const Shape& shape, bool backward) {
    const auto padded = static_cast<size_t>(rounded_to_lanes(shape.length));
    const auto block = static_cast<size_t>(kQueries);
    const auto width = static_cast<size_t>(shape.width);
    for (auto* each : {&query, &result}) each->fit(block * width);
    for (auto* each : {&key, &value, &key_t}) each->fit(padded * width);
    scores.fit(block * padded);
    if (!backward) return;
    grad.fit(block * width);
    for (auto* each : {&value_t, &grad_key, &grad_value}) each->fit(padded * width);
    other.fit(block * padded);
  }

  void trim() {
    for (auto* each : {&query, &key, &value, &key_t, &value_t, &scores, &other, &result, &grad, &grad_key, &grad_value})
      each->trim();
  }
};

}  // namespace promptloss
