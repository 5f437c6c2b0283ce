// promptloss::tied_embedding: rows of a weight, and the weight itself for the head that it is tied to. As one function
// of the weight it gets both gradients at once, and adds the rows' to the head's in place; two functions would have
// autograd make a sum of its own of the whole vocabulary.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "last_backward.h"

namespace promptloss {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Pair = std::tuple<at::Tensor, at::Tensor>;

void check(const at::Tensor& weight, const at::Tensor& indices) {
  const char* op = "tied_embedding: ";
  TORCH_CHECK(weight.dim() == 2, op, "weight must have shape [entries, units], got ", weight.sizes());
  TORCH_CHECK(
      indices.dim() == 1 && indices.scalar_type() == at::kLong, op, "indices must be int64 of shape [tokens], got ",
      indices.scalar_type(), " ", indices.sizes());
}

Pair plain(const at::Tensor& weight, const at::Tensor& indices) {
  check(weight, indices);
  return {weight.index_select(0, indices), weight.alias()};
}

struct TiedEmbedding : torch::autograd::Function<TiedEmbedding> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& weight, const at::Tensor& indices) {
    ctx->save_for_backward({indices});
    ctx->saved_data["entries"] = weight.size(0);
    return {weight.index_select(0, indices), weight.detach()};
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const auto indices = ctx->get_saved_variables()[0];
    auto rows = gradients[0], head = gradients[1];
    if (!rows.defined()) return {head, at::Tensor()};
    if (!head.defined()) head = at::zeros({ctx->saved_data["entries"].toInt(), rows.size(1)}, rows.options());
    rows = rows.to(head.scalar_type());
    if (at::GradMode::is_enabled()) return {head.index_add(0, indices, rows), at::Tensor()};
    if (!is_last_backward()) head = head.clone();
    // An index_add on a GPU adds in any order, this one in that of the indices.
    if (head.is_cpu())
      head.index_add_(0, indices, rows);
    else
      head.index_put_({indices}, rows, true);
    return {head, at::Tensor()};
  }
};

Pair differentiable(const at::Tensor& weight, const at::Tensor& indices) {
  check(weight, indices);
  const auto outputs = TiedEmbedding::apply(weight, indices);
  return {outputs[0], outputs[1]};
}

}  // namespace
}  // namespace promptloss

TORCH_LIBRARY_FRAGMENT(promptloss, library) {
  library.def("tied_embedding(Tensor(a) weight, Tensor indices) -> (Tensor rows, Tensor(a) head)");
}

TORCH_LIBRARY_IMPL(promptloss, CompositeExplicitAutograd, library) {
  library.impl("tied_embedding", promptloss::plain);
}

TORCH_LIBRARY_IMPL(promptloss, Autograd, library) {
  library.impl("tied_embedding", promptloss::differentiable);
}
