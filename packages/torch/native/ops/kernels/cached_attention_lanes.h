// The kernels of cached_attention.cpp, for each_processor.h.

#include "attention_lanes.h"

/** Fewer queries are taken one by one: turning the keys round would cost more than it saves. */
constexpr int64_t kFewQueries = 4;

/** The output of one query, at place `query` of its sequence. */
template <typename T>
PROMPTLOSS_INLINE void one_query(
    const Shape& shape, int64_t query, const T* units, Head<const T> key, Head<const T> value, T* output, Workspace& work) {
  const int64_t first = shape.first_key(query), count = query + 1 - first, width = shape.width;
  float* scores = work.scores.data();
  float most = -INFINITY;
  for (int64_t j = 0; j < count; ++j) {
    const T* own = key.from(first + j).data;
    Floats products = all(0);
    for (int64_t d = 0; d < width; d += kLanes) products += load(units + d) * load(own + d);
    scores[j] = halved_sum(products) * shape.scale;
    most = scores[j] > most ? scores[j] : most;
  }
  const int64_t padded = rounded_up(count);
  for (int64_t j = count; j < padded; ++j) scores[j] = -INFINITY;
  Floats sums = all(0);
  for (int64_t j = 0; j < padded; j += kLanes) {
    store(scores + j, exp_of_negative(load(scores + j) - most));
    sums += load(scores + j);
  }
  // Below all floats, what was added to fill a vector is no more than 16 times 1e-38.
  const float factor = 1 / sum(sums);
  for (int64_t d = 0; d < width; d += kLanes) {
    Floats mixed = all(0);
    for (int64_t j = 0; j < count; ++j) mixed += load(value.from(first + j).data + d) * scores[j];
    store(output + d, mixed * factor);
  }
}

/** One sequence and head of keys; they are numbered sequence first. */
template <typename T>
PROMPTLOSS_INLINE void run_task(const CachedAttention& on, T* to, int64_t task, Workspace& work) {
  const int64_t sequence = task / on.groups, group = task % on.groups, shared = on.heads / on.groups;
  const int64_t start = on.starts[sequence], queries = on.starts[sequence + 1] - start;
  const int64_t past = on.pasts[sequence];
  const Shape shape{past + queries, on.width, on.scale, on.window, past};
  const auto cached = [&](const CachedHeads& heads) {
    return Head<const T>{
        static_cast<const T*>(heads.data) + sequence * heads.sequence_step + group * heads.head_step, heads.token_step};
  };
  const auto key = cached(on.keys), value = cached(on.values);
  work.fit(shape, false);
  for (int64_t head = group * shared; head < (group + 1) * shared; ++head) {
    const int64_t place = (start * on.heads + head) * on.width, row = on.heads * on.width;
    const Head<const T> query{static_cast<const T*>(on.query) + place, row};
    const Head<T> output{to + place, row};
    if (queries > kFewQueries) {
      forward_head<T>(shape, query, key, value, output, nullptr, head == group * shared, work);
      continue;
    }
    for (int64_t i = 0; i < queries; ++i)
      one_query<T>(shape, past + i, query.from(i).data, key, value, output.from(i).data, work);
  }
}

inline void run_floats(const CachedAttention& on, float* to, int64_t task, Workspace& work) {
  run_task(on, to, task, work);
}
inline void run_halves(const CachedAttention& on, BFloat16* to, int64_t task, Workspace& work) {
  run_task(on, to, task, work);
}
