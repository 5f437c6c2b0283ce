// Whether operators take the kernels that are written for processors, or ATen's operators alone. Both give the same
// to the rounding; tests and benchmarks switch.
#pragma once

namespace promptloss {

bool fused_kernels();

/** @return what it was */
bool use_fused_kernels(bool on);

}  // namespace promptloss
