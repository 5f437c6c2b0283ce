// The checks that attention over laid-out sequences makes of its arguments, in whatever form its keys come.
#pragma once

#include "operator.h"

namespace promptloss {

/** Units of a head are whole vectors of the kernels. */
constexpr int64_t kUnitsOfHead = 16;

inline void check_queries(const char* op, const at::Tensor& query) {
  TORCH_CHECK(query.dim() == 3, op, ": query must have shape [tokens, heads, units], got ", query.sizes());
  check_for_any_device(op, "query", query, query);
  TORCH_CHECK(
      query.size(2) > 0 && query.size(2) % kUnitsOfHead == 0, op, ": units must be a multiple of ", kUnitsOfHead, ", got ",
      query.size(2));
}

/** Keys or values beside `query`; `heads` is their dimension of heads, units the last. */
inline void check_keys(
    const char* op, const char* name, const at::Tensor& keys, const char* shape, int64_t dimensions, const at::Tensor& query) {
  TORCH_CHECK(keys.dim() == dimensions, op, ": ", name, " must have shape ", shape, ", got ", keys.sizes());
  check_for_any_device(op, name, keys, query);
  check_same_dtype(op, name, keys, "query", query);
  TORCH_CHECK(
      keys.size(-1) == query.size(2), op, ": ", name, " must have query's units, ", query.size(2), ", got ", keys.size(-1));
  TORCH_CHECK(
      keys.size(1) > 0 && query.size(1) % keys.size(1) == 0, op, ": query's heads, ", query.size(1),
      ", must be a multiple of those of ", name, ", ", keys.size(1));
}

inline void check_scale_and_window(const char* op, double scale, int64_t window) {
  TORCH_CHECK(scale > 0, op, ": scale must be above 0, got ", scale);
  TORCH_CHECK(window >= 0, op, ": window must not be negative, got ", window);
}

/** Places of sequences among the query's tokens: from 0, increasing, to their number. */
inline void check_starts(const char* op, const std::vector<int64_t>& starts, const at::Tensor& query) {
  TORCH_CHECK(
      starts.size() >= 2 && starts.front() == 0 && starts.back() == query.size(0), op,
      ": starts must begin with 0 and end with the tokens, ", query.size(0));
  for (size_t i = 1; i < starts.size(); ++i)
    TORCH_CHECK(starts[i] > starts[i - 1], op, ": starts must increase, got ", starts[i], " after ", starts[i - 1]);
}

}  // namespace promptloss
