// Σ x² in float64.
#pragma once

#include <cstdint>

#include "lanes.h"

namespace promptloss {

double sum_of_squares(const float* from, int64_t count);
double sum_of_squares(const BFloat16* from, int64_t count);

}  // namespace promptloss
