// The names of dtypes, layouts and memory formats, as torch prints them.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>

namespace binding {

std::optional<at::ScalarType> dtype_of(const std::string& name);
// Null for a dtype that this binding does not name (quantised ones, float8 …).
const char* name_of(at::ScalarType dtype);
std::optional<at::Layout> layout_of(const std::string& name);
// Null for a layout that this binding does not name (mkldnn's, nested tensors' …).
const char* name_of(at::Layout layout);
std::optional<at::MemoryFormat> memory_format_of(const std::string& name);

}  // namespace binding
