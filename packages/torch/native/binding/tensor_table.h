// The table of live tensors. JavaScript holds 64-bit handles (slot and generation), never pointers, so that a
// handle that was freed, forged or kept too long is an error and not a crash.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace binding {

class TensorTable {
 public:
  // Takes a reference to a defined tensor; the handle lives until `free`.
  uint64_t add(at::Tensor tensor);
  // The tensor behind a handle, or null where the handle is not live.
  const at::Tensor* find(uint64_t handle) const;
  // False where the handle was not live.
  bool free(uint64_t handle);
  // From now on the garbage collector is to free the handle.
  void set_collectable(uint64_t handle);

  size_t live() const { return live_; }
  // Bytes of storage that the live handles brought in (a view of a live tensor adds none).
  int64_t bytes() const { return bytes_; }
  // Those of them that the garbage collector can free.
  int64_t collectable_bytes() const { return collectable_bytes_; }

 private:
  struct Slot {
    at::Tensor tensor;
    int64_t bytes = 0;
    uint32_t generation = 1;
    bool collectable = false;
  };
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  size_t live_ = 0;
  int64_t bytes_ = 0;
  int64_t collectable_bytes_ = 0;
};

}  // namespace binding
