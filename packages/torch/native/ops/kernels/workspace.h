// Memory that a thread works in and keeps for its next piece of work, up to a bound: a long sequence or a deep product
// must not leave its buffers behind in every thread of the process.
#pragma once

#include <cstddef>
#include <memory>

namespace promptloss {

/** Bytes that a buffer keeps between two uses. Above it the allocation costs little beside the work that needs so much. */
constexpr size_t kKeptBytes = size_t{4} << 20;

/** A buffer of numbers, not initialised, for one thread: `thread_local Buffer<float> buffer`. */
template <typename T>
class Buffer {
 public:
  /** At least `count` elements, whatever they hold. */
  T* fit(size_t count) {
    if (count > capacity_) {
      memory_.reset();
      memory_.reset(new T[count]);
      capacity_ = count;
    }
    return memory_.get();
  }

  T* data() const { return memory_.get(); }

  /** Gives back what is more than a thread keeps. */
  void trim() {
    if (capacity_ * sizeof(T) <= kKeptBytes) return;
    memory_.reset();
    capacity_ = 0;
  }

 private:
  std::unique_ptr<T[]> memory_;
  size_t capacity_ = 0;
};

/** Trims a buffer, or a set of them, when a piece of work ends, by an error too. */
template <typename Buffers>
class Trimmed {
 public:
  explicit Trimmed(Buffers& buffers) : buffers_(buffers) {}
  ~Trimmed() { buffers_.trim(); }
  Trimmed(const Trimmed&) = delete;
  Trimmed& operator=(const Trimmed&) = delete;

 private:
  Buffers& buffers_;
};

}  // namespace promptloss
