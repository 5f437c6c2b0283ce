// promptloss::tied_embedding: rows of a weight, and the weight itself for the head that it is tied to. As one function
// of the weight it gets both gradients at once, and adds the rows' to the head's, in place where nobody else holds it;
// two functions would have autograd make a sum of its own of the whole vocabulary.
//
// Gains: a step neither makes nor adds two gradients of the whole vocabulary. Measured by bench/src/training. Plain twin:
// index_select and the weight itself (tied-embedding.test.ts holds them together).
#include "operator.h"
#include "writable.h"

namespace promptloss::tied_embedding {

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
    ctx->set_materialize_grads(false);
    ctx->saved_data["entries"] = weight.size(0);
    return {weight.index_select(0, indices), weight.detach()};
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const auto indices = ctx->get_saved_variables()[0];
    const auto &by_rows = gradients[0], &by_head = gradients[1];
    if (!by_rows.defined()) return {by_head, at::Tensor()};
    const auto rows = by_head.defined() ? by_rows.to(by_head.scalar_type()) : by_rows;
    if (at::GradMode::is_enabled()) {
      // Recorded, for a gradient of a gradient.
      const auto head = by_head.defined() ? by_head : zeros(ctx, rows);
      return {head.index_add(0, indices, rows), at::Tensor()};
    }
    auto head = !by_head.defined()       ? zeros(ctx, rows)
                : is_sole_owner(by_head) ? by_head
                                         : by_head.clone(at::MemoryFormat::Contiguous);
    // An index_add on a GPU adds in any order, this one in that of the indices.
    if (head.is_cpu())
      head.index_add_(0, indices, rows);
    else
      head.index_put_({indices}, rows, true);
    return {head, at::Tensor()};
  }

 private:
  static at::Tensor zeros(AutogradContext* ctx, const at::Tensor& rows) {
    return at::zeros({ctx->saved_data["entries"].toInt(), rows.size(1)}, rows.options());
  }
};

Pair differentiable(const at::Tensor& weight, const at::Tensor& indices) {
  check(weight, indices);
  const auto outputs = TiedEmbedding::apply(weight, indices);
  return {outputs[0], outputs[1]};
}

}  // namespace promptloss::tied_embedding
