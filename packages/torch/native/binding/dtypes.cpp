#include "dtypes.h"

#include <utility>

namespace binding {
namespace {

constexpr std::pair<const char*, at::ScalarType> dtypes[] = {
    {"float32", at::kFloat},          {"float64", at::kDouble},
    {"bfloat16", at::kBFloat16},      {"float16", at::kHalf},
    {"int64", at::kLong},             {"int32", at::kInt},
    {"int16", at::kShort},            {"int8", at::kChar},
    {"uint8", at::kByte},             {"bool", at::kBool},
    {"complex64", at::kComplexFloat}, {"complex128", at::kComplexDouble},
};

constexpr std::pair<const char*, at::Layout> layouts[] = {
    {"strided", at::kStrided},       {"sparse_coo", at::kSparse},     {"sparse_csr", at::kSparseCsr},
    {"sparse_csc", at::kSparseCsc},  {"sparse_bsr", at::kSparseBsr},  {"sparse_bsc", at::kSparseBsc},
};

}  // namespace

std::optional<at::ScalarType> dtype_of(const std::string& name) {
  for (const auto& [known, dtype] : dtypes)
    if (name == known) return dtype;
  return std::nullopt;
}

const char* name_of(at::ScalarType dtype) {
  for (const auto& [name, known] : dtypes)
    if (dtype == known) return name;
  return nullptr;
}

std::optional<at::Layout> layout_of(const std::string& name) {
  for (const auto& [known, layout] : layouts)
    if (name == known) return layout;
  return std::nullopt;
}

const char* name_of(at::Layout layout) {
  for (const auto& [name, known] : layouts)
    if (layout == known) return name;
  return nullptr;
}

std::optional<at::MemoryFormat> memory_format_of(const std::string& name) {
  if (name == "contiguous_format") return at::MemoryFormat::Contiguous;
  if (name == "preserve_format") return at::MemoryFormat::Preserve;
  if (name == "channels_last") return at::MemoryFormat::ChannelsLast;
  if (name == "channels_last_3d") return at::MemoryFormat::ChannelsLast3d;
  return std::nullopt;
}

}  // namespace binding
