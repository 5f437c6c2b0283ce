// A product in 16 bits added to a sum in 32, in one pass over both.
#pragma once

#include <ATen/ATen.h>

namespace promptloss {

/** Whether `add_scaled` takes these: contiguous, on the CPU, float32 and bfloat16. */
bool has_add_scaled(const at::Tensor& total, const at::Tensor& part);

/** total += scale * part, or = where `first`. */
void add_scaled(const at::Tensor& total, const at::Tensor& part, double scale, bool first);

}  // namespace promptloss
