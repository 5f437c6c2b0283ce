// The kernels of softmax_rows.cpp, for each_processor.h.

struct Row {
  float largest;
  /** Σ logits, for smoothing. */
  float total;
  /** Σ e^(logit − largest). */
  float mass;
};

/** Writes e^(logit − largest) into `exponentials`, [V]. */
template <typename T>
PROMPTLOSS_INLINE Row exponentiate(const T* logits, int64_t count, float* exponentials) {
  const int64_t whole = count / kLanes * kLanes;
  Floats most = all(-INFINITY);
  Floats totals = all(0);
  for (int64_t i = 0; i < whole; i += kLanes) {
    const Floats x = load(logits + i);
    most = larger(most, x);
    totals += x;
  }
  Row row{largest(most), sum(totals), 0};
  for (int64_t i = whole; i < count; ++i) {
    const float x = to_float(logits[i]);
    row.largest = x > row.largest ? x : row.largest;
    row.total += x;
  }
  const Floats shift = all(row.largest);
  // Two sums, so that an addition need not wait for the one before.
  Floats first = all(0), second = all(0);
  int64_t i = 0;
  for (; i + 2 * kLanes <= whole; i += 2 * kLanes) {
    const Floats a = exp_of_negative(load(logits + i) - shift);
    const Floats b = exp_of_negative(load(logits + i + kLanes) - shift);
    store(exponentials + i, a);
    store(exponentials + i + kLanes, b);
    first += a;
    second += b;
  }
  for (; i < whole; i += kLanes) {
    const Floats a = exp_of_negative(load(logits + i) - shift);
    store(exponentials + i, a);
    first += a;
  }
  row.mass = sum(first + second);
  for (; i < count; ++i) {
    exponentials[i] = std::exp(to_float(logits[i]) - row.largest);
    row.mass += exponentials[i];
  }
  return row;
}

/** p − (1 − ε) [target] − ε / V, where p are the row's probabilities. */
template <typename T>
PROMPTLOSS_INLINE void write_gradients(
    T* to, const float* exponentials, int64_t count, const Row& row, int64_t target, float smoothing) {
  const float scale = 1 / row.mass;
  const float uniform = smoothing / static_cast<float>(count);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(to + i, load(exponentials + i) * scale - uniform);
  for (; i < count; ++i) put(to + i, exponentials[i] * scale - uniform);
  put(to + target, exponentials[target] * scale - uniform - (1 - smoothing));
}

template <typename T>
PROMPTLOSS_INLINE void score_rows(T* logits, const SoftmaxRows& rows, int64_t begin, int64_t end, float* exponentials) {
  for (int64_t r = begin; r < end; ++r) {
    T* own = logits + r * rows.count;
    const int64_t target = rows.targets[r];
    const float logit = to_float(own[target]);
    const Row row = exponentiate(own, rows.count, exponentials);
    // Differences to the largest first: logits may be large, and their losses small.
    const float log_mass = std::log(row.mass);
    const float mean = row.total / static_cast<float>(rows.count);
    rows.cross_entropy[r] = log_mass - (logit - row.largest);
    rows.losses[r] =
        (1 - rows.smoothing) * rows.cross_entropy[r] + rows.smoothing * (log_mass - (mean - row.largest));
    rows.correct[r] = logit >= row.largest;
    if (rows.gradients) write_gradients(own, exponentials, rows.count, row, target, rows.smoothing);
  }
}

inline void score_floats(float* logits, const SoftmaxRows& rows, int64_t begin, int64_t end, float* buffer) {
  score_rows(logits, rows, begin, end, buffer);
}

inline void score_halves(BFloat16* logits, const SoftmaxRows& rows, int64_t begin, int64_t end, float* buffer) {
  score_rows(logits, rows, begin, end, buffer);
}
