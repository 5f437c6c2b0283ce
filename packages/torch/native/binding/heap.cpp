#include "heap.h"

#include <atomic>
#include <cstdlib>
#include <initializer_list>
#include <limits>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace binding {

// They keep 1,024 each unless told, a megabyte or two apiece with their working memory. Batches of sentences have ever
// new shapes: a bf16 training run of stories15M grew to 3.4 GB by them.
void limit_primitive_caches() {
  for (const char* name : {"LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"}) setenv(name, "256", 0);
}

#ifdef __GLIBC__
namespace {

// The most that malloc can be told to take from its heap, if it may ask the system for single pieces at all.
constexpr int kLargest = 32 << 20;
// Single pieces at one time, by default.
constexpr int kPieces = 65536;
// Smaller than the weights of a layer: shares that are gathered, freed and gathered again leave holes in a heap, so that
// a process of four that divide 148 M parameters held 2.0 GB in place of 1.1.
constexpr int kReturned = 4 << 20;

bool person_has_set() {
  for (const char* name : {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_", "GLIBC_TUNABLES"})
    if (getenv(name) != nullptr) return true;
  return false;
}

std::atomic<int> users{0};
std::atomic<int> returners{0};

void set_largest() { mallopt(M_MMAP_THRESHOLD, returners > 0 ? kReturned : kLargest); }
void set_pieces() { mallopt(M_MMAP_MAX, users > 0 && returners == 0 ? 0 : kPieces); }

}  // namespace

// A step of training takes and frees the same hundreds of megabytes as the one before. Left to itself, malloc gives the
// larger pieces back to the system and asks for them again, page by page: some 40 ms of a step of 600 (stories15M, one
// thread).
void keep_freed_memory() {
  if (person_has_set()) return;
  set_largest();
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
}

// Gradients of a vocabulary are larger than `kLargest`: 6 % of a step of a model of 148 M parameters.
void reuse_memory(bool begin) {
  if (person_has_set()) return;
  users += begin ? 1 : -1;
  set_pieces();
  if (users == 0) malloc_trim(0);
}

void return_memory(bool begin) {
  if (person_has_set()) return;
  returners += begin ? 1 : -1;
  set_largest();
  set_pieces();
}
#else
void keep_freed_memory() {}
void reuse_memory(bool) {}
void return_memory(bool) {}
#endif

}  // namespace binding
