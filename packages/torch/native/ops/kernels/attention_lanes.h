// Attention of one sequence and one head, in float32: blocks of queries against the keys that they see, scores and
// probabilities in the cache. Part of kernels that each_processor.h compiles.

#include "tiles.h"

PROMPTLOSS_INLINE int64_t rounded_up(int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

template <typename T>
PROMPTLOSS_INLINE void read_rows(Head<const T> from, int64_t rows, int64_t width, float* to) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t d = 0; d < width; d += kLanes) store(to + i * width + d, load(from.data + i * from.row + d));
}

template <typename T>
PROMPTLOSS_INLINE void write_rows(const float* from, int64_t rows, int64_t width, Head<T> to) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t d = 0; d < width; d += kLanes) store(to.data + i * to.row + d, load(from + i * width + d));
}

/** [rows, width] → [width, padded rows]; the padding is 0. */
PROMPTLOSS_INLINE void transpose(const float* from, int64_t rows, int64_t width, float* to, int64_t to_row) {
  for (int64_t d = 0; d < width; ++d) {
    for (int64_t i = 0; i < rows; ++i) to[d * to_row + i] = from[i * width + d];
    for (int64_t i = rows; i < to_row; ++i) to[d * to_row + i] = 0;
  }
}

/** Keys from `begin` to `end`, a block of whole vectors, that some query of a block sees. */
struct KeyBlock {
  int64_t begin;
  int64_t end;
  int64_t padded() const { return rounded_up(end) - begin; }
};

PROMPTLOSS_INLINE KeyBlock keys_of(const Shape& shape, int64_t first, int64_t rows) {
  return {shape.first_key(first) / kLanes * kLanes, first + rows};
}

/** What queries do not see, above the diagonal and before the window, becomes 0 in a row of a block. */
PROMPTLOSS_INLINE void clear_unseen(const Shape& shape, const KeyBlock& keys, int64_t query, float* row) {
  for (int64_t j = keys.begin; j < shape.first_key(query); ++j) row[j - keys.begin] = 0;
  for (int64_t j = query + 1; j < keys.begin + keys.padded(); ++j) row[j - keys.begin] = 0;
}

/** Probabilities of queries `first` … in `scores`, from logits there; e^logit's sums' logarithms in `log_sums`, null for none. */
PROMPTLOSS_INLINE void softmax_block(
    const Shape& shape, const KeyBlock& keys, int64_t first, int64_t rows, float* scores, float* log_sums) {
  const int64_t stride = keys.padded();
  for (int64_t i = 0; i < rows; ++i) {
    float* row = scores + i * stride;
    const int64_t query = first + i;
    const int64_t from = shape.first_key(query) - keys.begin, to = query + 1 - keys.begin;
    float most = -INFINITY;
    for (int64_t j = from; j < to; ++j) most = row[j] > most ? row[j] : most;
    const Floats shift = all(most * shape.scale);
    for (int64_t j = 0; j < stride; j += kLanes) store(row + j, exp_of_negative(load(row + j) * shape.scale - shift));
    clear_unseen(shape, keys, query, row);
    Floats sums = all(0);
    for (int64_t j = 0; j < stride; j += kLanes) sums += load(row + j);
    const float mass = sum(sums);
    const float factor = 1 / mass;
    for (int64_t j = 0; j < stride; j += kLanes) store(row + j, load(row + j) * factor);
    if (log_sums != nullptr) log_sums[query - shape.past] = most * shape.scale + std::log(mass);
  }
}

/** The output of a head's queries. `new_keys`: key and value are not those of the call before. */
template <typename T>
PROMPTLOSS_INLINE void forward_head(
    const Shape& shape, Head<const T> query, Head<const T> key, Head<const T> value, Head<T> output, float* log_sums,
    bool new_keys, Workspace& work) {
  const int64_t length = shape.length, width = shape.width;
  const int64_t padded = rounded_up(length);
  if (new_keys) {
    read_rows(key, length, width, work.key.data());
    transpose(work.key.data(), length, width, work.key_t.data(), padded);
    read_rows(value, length, width, work.value.data());
  }
  for (int64_t first = shape.past; first < length; first += kQueries) {
    const int64_t rows = std::min(kQueries, length - first);
    const KeyBlock keys = keys_of(shape, first, rows);
    const int64_t stride = keys.padded();
    read_rows<T>(query.from(first - shape.past), rows, width, work.query.data());
    multiply({work.query.data(), width, 1}, rows, work.key_t.data() + keys.begin, padded, width, stride,
             work.scores.data(), stride, false);
    softmax_block(shape, keys, first, rows, work.scores.data(), log_sums);
    multiply({work.scores.data(), stride, 1}, rows, work.value.data() + keys.begin * width, width,
             keys.end - keys.begin, width, work.result.data(), width, false);
    write_rows<T>(work.result.data(), rows, width, output.from(first - shape.past));
  }
}
