#include "tensor_table.h"

namespace binding {

uint64_t TensorTable::add(at::Tensor tensor) {
  uint32_t index;
  if (free_.empty()) {
    index = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Slot& slot = slots_[index];
  // Only the first handle to a storage accounts for it: a use count of 1 means that no view came before.
  const bool owns = tensor.layout() == at::kStrided && tensor.has_storage() && tensor.storage().use_count() <= 1;
  slot.bytes = owns ? static_cast<int64_t>(tensor.storage().nbytes()) : 0;
  slot.tensor = std::move(tensor);
  live_ += 1;
  bytes_ += slot.bytes;
  return (static_cast<uint64_t>(slot.generation) << 32) | index;
}

const at::Tensor* TensorTable::find(uint64_t handle) const {
  const auto index = static_cast<uint32_t>(handle);
  if (index >= slots_.size()) return nullptr;
  const Slot& slot = slots_[index];
  return slot.generation == handle >> 32 && slot.tensor.defined() ? &slot.tensor : nullptr;
}

bool TensorTable::free(uint64_t handle) {
  if (find(handle) == nullptr) return false;
  const auto index = static_cast<uint32_t>(handle);
  Slot& slot = slots_[index];
  live_ -= 1;
  bytes_ -= slot.bytes;
  if (slot.collectable) collectable_bytes_ -= slot.bytes;
  slot.collectable = false;
  slot.generation += 1;
  // The destructor may run other code (a custom function's clean-up), so the slot is consistent before it.
  at::Tensor last = std::move(slot.tensor);
  slot.bytes = 0;
  // A slot whose generations are used up is never given out again: a stale handle can't come back to life.
  if (slot.generation != 0) free_.push_back(index);
  return true;
}

void TensorTable::set_collectable(uint64_t handle) {
  if (find(handle) == nullptr) return;
  Slot& slot = slots_[static_cast<uint32_t>(handle)];
  if (!slot.collectable) collectable_bytes_ += slot.bytes;
  slot.collectable = true;
}

}  // namespace binding
