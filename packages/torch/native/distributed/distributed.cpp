// The library promptloss_distributed of operators: process groups on c10d, libtorch's own, and collectives over them.
// Apart from the fused operators, since c10d is not in every libtorch: a build without it goes on.
#include <torch/library.h>

#include "group.h"

namespace promptloss::distributed {
namespace {

// Never destroyed, as threads of a group that failed may still run while the process ends.
std::vector<Group*>& groups() {
  static auto* all = new std::vector<Group*>();
  return *all;
}


Group& group_of(int64_t id) {
  TORCH_CHECK(id >= 0 && id < static_cast<int64_t>(groups().size()), "there is no process group ", id);
  return *groups()[static_cast<size_t>(id)];
}

void close_all() {
  for (Group* group : groups()) group->close();
}

std::vector<std::string> backends() {
#ifdef USE_C10D_NCCL
  return {"gloo", "nccl"};
#else
  return {"gloo"};
#endif
}

int64_t open_group(std::string backend, std::string address, int64_t port, int64_t rank, int64_t world, bool hosts_store,
                   std::string prefix, double timeout, double meeting, std::string identity) {
  Settings settings;
  settings.backend = std::move(backend);
  settings.address = std::move(address);
  settings.port = static_cast<int>(port);
  settings.rank = static_cast<int>(rank);
  settings.world = static_cast<int>(world);
  settings.hosts_store = hosts_store;
  settings.prefix = std::move(prefix);
  settings.timeout = Milliseconds(static_cast<int64_t>(timeout * 1000));
  settings.meeting = Milliseconds(static_cast<int64_t>(meeting * 1000));
  settings.identity = std::move(identity);
  // Before libtorch's own objects go, which the watches use.
  static const bool once = std::atexit(close_all) == 0;
  (void)once;
  groups().push_back(new Group(std::move(settings)));
  return static_cast<int64_t>(groups().size()) - 1;
}

c10d::ReduceOp reduction(const std::string& name) {
  if (name == "sum") return c10d::ReduceOp::SUM;
  if (name == "max") return c10d::ReduceOp::MAX;
  if (name == "min") return c10d::ReduceOp::MIN;
  TORCH_CHECK(false, "unknown reduction \"", name, "\": sum, max or min");
}

void check_plain(const at::Tensor& tensor) {
  TORCH_CHECK(tensor.layout() == at::kStrided && tensor.is_contiguous(), "tensors between processes must be contiguous");
}

void note_written(const at::Tensor& tensor) {
  if (!tensor.is_inference()) tensor.unsafeGetTensorImpl()->bump_version();
}

/** The same memory apart from autograd, which must not record what other processes do. */
std::vector<at::Tensor> plain(const at::TensorList& tensors) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& tensor : tensors) {
    check_plain(tensor);
    result.push_back(tensor.detach());
  }
  return result;
}

/**
 * What to hand to a backend that adds up: bfloat16 in float32 for Gloo, which rounds at every rank otherwise, and in
 * libtorch 1.13 refuses it. The others are themselves.
 */
at::Tensor summable(const at::Tensor& tensor, const Group& group) {
  const bool widens = group.settings.backend == "gloo" && tensor.scalar_type() == at::kBFloat16;
  return widens ? tensor.to(at::kFloat) : tensor;
}

/** The same bits as a type that Gloo moves in every libtorch: it knows no bfloat16 in 1.13, and never int16 and bool. */
at::Tensor movable(const at::Tensor& tensor, const Group& group) {
  if (group.settings.backend != "gloo") return tensor;
  switch (tensor.scalar_type()) {
    case at::kBFloat16:
    case at::kShort:
      return tensor.view(at::kHalf);
    case at::kBool:
      return tensor.view(at::kByte);
    default:
      return tensor;
  }
}

void all_reduce(at::TensorList tensors, std::string op, int64_t id) {
  Group& group = group_of(id);
  const auto own = plain(tensors);
  if (own.empty()) return;
  std::vector<at::Tensor> list;
  for (const at::Tensor& tensor : own) list.push_back(summable(tensor, group));
  group.run("all-reduce", [&](Backend& backend) {
    if (list.size() == 1) {
      c10d::AllreduceOptions options;
      options.reduceOp = reduction(op);
      return backend.allreduce(list, options);
    }
    c10d::AllreduceCoalescedOptions options;
    options.reduceOp = reduction(op);
    return backend.allreduce_coalesced(list, options);
  });
  for (size_t i = 0; i < own.size(); ++i)
    if (!list[i].is_same(own[i])) own[i].copy_(list[i]);
  for (const at::Tensor& tensor : tensors) note_written(tensor);
}

void broadcast(at::TensorList tensors, int64_t root, int64_t id) {
  Group& group = group_of(id);
  TORCH_CHECK(root >= 0 && root < group.settings.world, "there is no rank ", root, " among ", group.settings.world);
  for (const at::Tensor& each : plain(tensors)) {
    std::vector<at::Tensor> one{movable(each, group)};
    group.run("broadcast", [&](Backend& backend) {
      c10d::BroadcastOptions options;
      options.rootRank = root;
      return backend.broadcast(one, options);
    });
  }
  for (const at::Tensor& tensor : tensors) note_written(tensor);
}

at::Tensor all_gather(const at::Tensor& tensor, int64_t id) {
  Group& group = group_of(id);
  check_plain(tensor);
  std::vector<int64_t> shape = tensor.sizes().vec();
  shape.insert(shape.begin(), group.settings.world);
  at::Tensor result = at::empty(shape, tensor.options().requires_grad(false));
  std::vector<at::Tensor> input{movable(tensor.detach(), group)};
  std::vector<std::vector<at::Tensor>> output{movable(result, group).unbind(0)};
  group.run("all-gather", [&](Backend& backend) { return backend.allgather(output, input); });
  return result;
}

/** Bytes of each rank that Gloo gathers at a time, as it does so in memory of its own. */
constexpr int64_t kGatheredAtOnce = 8 << 20;

/** Begins to gather all ranks' `own`, [n], into `into`, [ranks · n], of which `own` may be a part. */
int64_t start_all_gather(const at::Tensor& into, const at::Tensor& own, int64_t id) {
  Group& group = group_of(id);
  check_plain(into);
  check_plain(own);
  const int64_t world = group.settings.world;
  TORCH_CHECK(
      own.dim() == 1 && into.dim() == 1 && into.size(0) == world * own.size(0) && into.scalar_type() == own.scalar_type(),
      "start_all_gather: of ", own.sizes(), " of each of ", world, " processes into ", into.sizes());
  // As bytes: they travel as they are, whatever a backend knows of their dtype. The values are those that a graph which
  // holds this memory had recorded: its version stays, and what is written to has one of its own.
  const auto bytes = [](const at::Tensor& tensor) { return tensor.variable_data().view(at::kByte); };
  const at::Tensor rows = bytes(into).view({world, -1}), mine = bytes(own);
  const bool all_at_once = group.settings.backend != "gloo";
  const int64_t length = mine.size(0), step = all_at_once ? std::max<int64_t>(length, 1) : kGatheredAtOnce;
  std::vector<Group::Begin> begins;
  for (int64_t at = 0; at < length; at += step) {
    const int64_t count = std::min(step, length - at);
    begins.push_back([=](Backend& backend) {
      std::vector<at::Tensor> input{mine.narrow(0, at, count)};
      std::vector<std::vector<at::Tensor>> output{rows.narrow(1, at, count).unbind(0)};
      return backend.allgather(output, input);
    });
  }
  return group.start("all-gather", begins);
}

/** Begins to sum all ranks' tensors, [ranks · n]; then the rank's own part of this one has its part of the sum. */
int64_t start_reduce_scatter(const at::Tensor& tensor, std::string op, int64_t id) {
  Group& group = group_of(id);
  const int64_t rank = group.settings.rank, world = group.settings.world;
  check_plain(tensor);
  TORCH_CHECK(
      tensor.dim() >= 1 && tensor.size(0) % world == 0,
      "reduce_scatter: the size of dimension 0 must be a multiple of the ", world, " processes, got ", tensor.sizes());
  TORCH_CHECK(summable(tensor, group).is_same(tensor), "reduce_scatter in place: Gloo does not add up ", tensor.scalar_type());
  const c10d::ReduceOp by = reduction(op);
  const at::Tensor all = tensor.detach();
  note_written(tensor);
  return group.start("reduce-scatter", {[=](Backend& backend) -> c10::intrusive_ptr<Work> {
#ifdef USE_C10D_NCCL
    if (group_of(id).settings.backend == "nccl") {
      const int64_t share = all.size(0) / world;
      at::Tensor input = all, result = all.narrow(0, rank * share, share);
      c10d::ReduceScatterOptions options;
      options.reduceOp = by;
      return backend._reduce_scatter_base(result, input, options);
    }
#endif
    (void)rank;
    // c10d's Gloo does it by its all-reduce where it has it at all; older ones have none.
    std::vector<at::Tensor> list{all};
    c10d::AllreduceOptions options;
    options.reduceOp = by;
    return backend.allreduce(list, options);
  }});
}

at::Tensor reduce_scatter(const at::Tensor& tensor, std::string op, int64_t id) {
  Group& group = group_of(id);
  check_plain(tensor);
  const at::Tensor own = tensor.detach();
  const at::Tensor wide = summable(own, group);
  const at::Tensor all = wide.is_same(own) ? own.clone() : wide;
  group.finish(start_reduce_scatter(all, std::move(op), id));
  const int64_t share = all.size(0) / group.settings.world;
  return all.narrow(0, group.settings.rank * share, share).to(tensor.scalar_type(), false, true);
}

void finish(int64_t operation, int64_t id) { group_of(id).finish(operation); }

c10::StorageImpl& whole_storage(const at::Tensor& tensor) {
  check_plain(tensor);
  auto* storage = tensor.storage().unsafeGetStorageImpl();
  TORCH_CHECK(
      storage->resizable() && storage->allocator() != nullptr && tensor.storage_offset() == 0,
      "only memory of libtorch's own, from its beginning, can be given back and taken anew");
  return *storage;
}

/** Gives a tensor's memory back, and with it that of all its views, which must not be read until it is taken anew. */
void give_back_memory(const at::Tensor& tensor) {
  auto& storage = whole_storage(tensor);
  storage.set_data_ptr_noswap(storage.allocator()->allocate(0));
  storage.set_nbytes(0);
}

/** Memory for a tensor that gave its own back; what is in it is not defined. */
void take_memory(const at::Tensor& tensor) {
  auto& storage = whole_storage(tensor);
  const size_t bytes = static_cast<size_t>(tensor.numel()) * tensor.element_size();
  if (storage.nbytes() >= bytes) return;
  storage.set_data_ptr_noswap(storage.allocator()->allocate(bytes));
  storage.set_nbytes(bytes);
}

void barrier(int64_t id) {
  group_of(id).run("barrier", [](Backend& backend) { return backend.barrier(c10d::BarrierOptions()); });
}

/** Of the last failure: the operation, then the ranks at fault; empty where nothing failed. Of no group, −1: why none was opened. */
std::vector<std::string> failure(int64_t id) {
  const auto& found = id == -1 ? Group::failed_start() : group_of(id).failure();
  if (!found) return {};
  std::vector<std::string> result{found->operation};
  for (const int peer : found->peers) result.push_back(std::to_string(peer));
  return result;
}

void leave(int64_t id, std::string reason) { group_of(id).leave(reason); }

void close_group(int64_t id) { group_of(id).close(); }

}  // namespace

TORCH_LIBRARY(promptloss_distributed, library) {
  library.def("backends() -> str[]", backends);
  library.def(
      "open_group(str backend, str address, int port, int rank, int world, bool hosts_store, str prefix, float timeout, "
      "float meeting, str identity) -> int",
      open_group);
  library.def("all_reduce_(Tensor(a!)[] tensors, str op, int group) -> ()", all_reduce);
  library.def("broadcast_(Tensor(a!)[] tensors, int root, int group) -> ()", broadcast);
  library.def("all_gather(Tensor tensor, int group) -> Tensor", all_gather);
  library.def("reduce_scatter(Tensor tensor, str op, int group) -> Tensor", reduce_scatter);
  library.def("start_all_gather(Tensor(a!) into, Tensor own, int group) -> int", start_all_gather);
  library.def("start_reduce_scatter_(Tensor(a!) tensor, str op, int group) -> int", start_reduce_scatter);
  library.def("finish(int operation, int group) -> ()", finish);
  library.def("give_back_memory(Tensor(a!) tensor) -> ()", give_back_memory);
  library.def("take_memory(Tensor(a!) tensor) -> ()", take_memory);
  library.def("barrier(int group) -> ()", barrier);
  library.def("failure(int group) -> str[]", failure);
  library.def("leave(int group, str reason) -> ()", leave);
  library.def("close_group(int group) -> ()", close_group);
}

}  // namespace promptloss::distributed
