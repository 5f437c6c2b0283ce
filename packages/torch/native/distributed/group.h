// A process group: c10d's backend behind a store, a watch over its ranks, and operations that end, with a result or with
// an error that names rank, peer and operation.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <torch/version.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include "watch.h"

namespace promptloss::distributed {

#if TORCH_VERSION_MAJOR < 2
using Backend = c10d::ProcessGroup;
#else
using Backend = c10d::Backend;
#endif
using c10d::Work;

struct Settings {
  std::string backend;
  std::string address;
  int port = 0;
  int rank = 0;
  int world = 1;
  /** Whether this rank opens the store, at address and port. */
  bool hosts_store = false;
  /** Before all keys, for a store that others use as well. */
  std::string prefix;
  /** Of an operation. */
  Milliseconds timeout{0};
  /** Until all ranks have come. */
  Milliseconds meeting{0};
  std::string identity;
};

/** Why an operation failed, and whose fault it is. */
struct Failure {
  std::vector<int> peers;
  std::string operation;
  std::string text;
};

/** An operation that was begun and not waited for yet. */
struct Pending {
  std::string operation;
  std::vector<c10::intrusive_ptr<Work>> works;
  /** Why it could not begin. */
  std::string problem;
};

inline std::string name_of(const std::vector<int>& ranks) {
  std::string text;
  for (size_t i = 0; i < ranks.size(); ++i)
    text += (i == 0 ? "rank " : i + 1 == ranks.size() ? " and rank " : ", rank ") + std::to_string(ranks[i]);
  return text;
}

class Group {
 public:
  const Settings settings;

  explicit Group(Settings given) : settings(std::move(given)) {
    const Milliseconds interval = std::clamp(settings.timeout / 20, Milliseconds(50), Milliseconds(1000));
    store_ = connect(settings.hosts_store);
    // A connection of its own: a rank that waits for a key holds its store until the key is there.
    watch_ = std::make_unique<Watch>(connect(false), settings.rank, settings.world, interval, settings.identity);
    watch_->announce();
    await_all();
    backend_ = make_backend();
    watch_->start();
  }

  using Begin = std::function<c10::intrusive_ptr<Work>(Backend&)>;

  /** An operation from its begin to its end. */
  void run(const char* operation, const Begin& begin) { finish(start(operation, {begin})); }

  /**
   * Begins an operation, which goes on while this thread does other things; all ranks begin theirs in the same order.
   * @param begins each gives a part of the work to wait for
   * @return its number, for `finish`
   */
  int64_t start(const char* operation, const std::vector<Begin>& begins) {
    Pending pending;
    pending.operation = operation_ = std::string(operation) + " " + std::to_string(++operations_);
    if (failure_) fail(*failure_);
    TORCH_CHECK(backend_, "the process group is closed");
    watch_->begin_operation(operations_);
    try {
      for (const Begin& begin : begins) pending.works.push_back(begin(*backend_));
    } catch (const c10::Error& thrown) {
      pending.problem = thrown.what_without_backtrace();
    } catch (const std::exception& thrown) {
      pending.problem = thrown.what();
    }
    pending_.emplace(operations_, std::move(pending));
    return operations_;
  }

  /** Waits for the end of an operation that was begun. */
  void finish(int64_t number) {
    const auto found = pending_.find(number);
    TORCH_CHECK(found != pending_.end(), "there is no operation ", number, " to wait for");
    const Pending pending = std::move(found->second);
    pending_.erase(found);
    if (failure_) fail(*failure_);
    // What it then takes to find out who is at fault lies within the time-out as well.
    const auto until = Clock::now() + settings.timeout - patience();
    std::string problem = pending.problem;
    bool timed_out = false;
    try {
      if (problem.empty()) {
        const auto ended = [&](const auto& work) { return wait_until(*work, until); };
        if (std::all_of(pending.works.begin(), pending.works.end(), ended)) return;
        timed_out = Clock::now() >= until;
      }
    } catch (const c10::Error& thrown) {
      problem = thrown.what_without_backtrace();
    } catch (const std::exception& thrown) {
      problem = thrown.what();
    }
    operation_ = pending.operation;
    failure_ = find_fault(number, problem, timed_out);
    await_others(failure_->peers);
    fail(*failure_);
  }

  const std::optional<Failure>& failure() const { return failure_; }

  /** Why the last group that could not be opened was not. */
  static std::optional<Failure>& failed_start() {
    static std::optional<Failure> failure;
    return failure;
  }

  /** Tells all others that this rank stops, and why. */
  void leave(const std::string& reason) {
    watch_->leave(reason);
    // Until the beat is out: the process may end at once.
    watch_->wait_for_news();
    watch_->wait_for_news();
    await_others({});
  }

  /** Ends the group where all are done with it. After a failure its threads are left as they are: work may hang in them. */
  void close() {
    const bool ended = watch_->stop(std::max(patience(), Milliseconds(1000)));
    if (failure_ || !ended) return;
    backend_.reset();
    store_.reset();
  }

 private:
  c10::intrusive_ptr<c10d::Store> connect(bool as_host) const {
    c10d::TCPStoreOptions options;
    options.port = static_cast<uint16_t>(settings.port);
    options.isServer = as_host;
    options.waitWorkers = false;
    options.timeout = settings.meeting;
    try {
      c10::intrusive_ptr<c10d::Store> store = c10::make_intrusive<c10d::TCPStore>(settings.address, options);
      store->setTimeout(settings.meeting);
      return c10::make_intrusive<c10d::PrefixStore>(settings.prefix, store);
    } catch (const std::exception& thrown) {
      const std::string what = as_host ? "can't open the group's store at " : "can't reach the group's store at ";
      throw_at_start(what + place() + ": " + first_line(thrown.what()), as_host ? std::vector<int>{} : std::vector<int>{0});
    }
  }

  std::string place() const { return settings.address + ":" + std::to_string(settings.port); }

  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

  [[noreturn]] void throw_at_start(const std::string& text, std::vector<int> peers) const {
    failed_start() = Failure{std::move(peers), "init", text};
    fail(*failed_start());
  }

  /** Waits until every rank has announced itself. */
  void await_all() const {
    const auto until = Clock::now() + settings.meeting;
    for (;;) {
      std::vector<int> missing;
      for (int rank = 0; rank < settings.world; ++rank)
        if (!store_->check({Watch::key_of(rank)})) missing.push_back(rank);
      if (missing.empty()) return;
      if (Clock::now() >= until) throw_at_start(name_of(missing) + " did not come to " + place() + within(settings.meeting), missing);
      std::this_thread::sleep_for(Milliseconds(20));
    }
  }

  static std::string within(Milliseconds time) {
    std::ostringstream text;
    text << " within " << static_cast<double>(time.count()) / 1000 << " s";
    return text.str();
  }

  c10::intrusive_ptr<Backend> make_backend() const {
    try {
#ifdef USE_C10D_NCCL
      if (settings.backend == "nccl") {
        auto options = c10d::ProcessGroupNCCL::Options::create();
        options->timeout = settings.timeout;
        return c10::make_intrusive<c10d::ProcessGroupNCCL>(store_, settings.rank, settings.world, options);
      }
#endif
      TORCH_CHECK(settings.backend == "gloo", "this build has no backend ", settings.backend);
      auto options = c10d::ProcessGroupGloo::Options::create(settings.timeout);
      options->devices = {device()};
      return c10::make_intrusive<c10d::ProcessGroupGloo>(store_, settings.rank, settings.world, options);
    } catch (const c10::Error& thrown) {
      throw_at_start(thrown.what_without_backtrace(), {});
    } catch (const std::exception& thrown) {
      throw_at_start(thrown.what(), {});
    }
  }

  /** As torch.distributed chooses: the interface that GLOO_SOCKET_IFNAME names, else what the host's name stands for. */
  std::shared_ptr<gloo::transport::Device> device() const {
    const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
    if (interface != nullptr && interface[0] != '\0') return c10d::ProcessGroupGloo::createDeviceForInterface(interface);
    const bool is_local = settings.address == "127.0.0.1" || settings.address == "localhost" || settings.address == "::1";
    if (is_local) return c10d::ProcessGroupGloo::createDeviceForHostname(settings.address);
    return c10d::ProcessGroupGloo::createDefaultDevice();
  }

  /** The store goes with the process that hosts it: the others must have read why before that, if they can read at all. */
  void await_others(const std::vector<int>& at_fault) {
    if (settings.hosts_store) watch_->await_told(at_fault, Clock::now() + 4 * patience());
  }

  /** How long it takes to see that a rank is silent: some beats. */
  Milliseconds patience() const { return watch_->interval * 7 / 2; }

  /** Waits for a part of an operation; false where its time is up or the group is at its end. Throws what the work threw. */
  bool wait_until(Work& work, Clock::time_point until) {
    while (!work.isCompleted()) {
      if (watch_->cause() || watch_->store_error() || Clock::now() >= until) return false;
      wait_a_little(work);
    }
    work.wait();
    return true;
  }

  static void wait_a_little(Work& work) {
    try {
      work.wait(Milliseconds(20));
    } catch (const std::exception&) {
      // That the wait was short; what the work itself threw, the caller's last wait throws again.
    }
  }

  /** Who is at fault, as far as the ranks' beats tell. */
  Failure find_fault(int64_t number, const std::string& problem, bool timed_out) {
    const auto began = Clock::now();
    const auto until = began + patience();
    for (;;) {
      if (const auto cause = watch_->cause()) return of_cause(*cause);
      const auto peers = watch_->peers();
      for (int rank = 0; rank < settings.world; ++rank) {
        const Beat& beat = peers[static_cast<size_t>(rank)].beat;
        if (rank != settings.rank && !beat.reason.empty()) return publish({rank}, "stopped: " + beat.reason);
      }
      if (const auto error = watch_->store_error()) return of_store("no longer answers: " + first_line(*error));
      if (Clock::now() >= until) break;
      watch_->wait_for_news();
    }
    if (watch_->answered() < began) return of_store("does not answer");
    const auto peers = watch_->peers();
    std::vector<int> silent, behind;
    for (int rank = 0; rank < settings.world; ++rank) {
      const Watch::Peer& peer = peers[static_cast<size_t>(rank)];
      if (rank == settings.rank) continue;
      // Its last beat may have been read a beat after it was written.
      if (peer.changed <= began + watch_->interval * 6 / 5) silent.push_back(rank);
      if (peer.beat.operations < number) behind.push_back(rank);
    }
    if (!silent.empty()) {
      std::string who;
      for (const int rank : silent) who += (who.empty() ? "" : "; ") + peers[static_cast<size_t>(rank)].beat.identity;
      return publish(silent, "gives no sign of life any more (" + who + ")");
    }
    if (timed_out && !behind.empty())
      return publish(behind, "lives, and did not come to " + operation_ + within(settings.timeout));
    if (timed_out) return publish({}, "the operation did not end" + within(settings.timeout));
    return publish({}, problem.empty() ? "the operation was aborted" : problem);
  }

  Failure of_store(const std::string& what) const {
    if (settings.prefix.empty())
      return {{0}, operation_, "rank 0 has ended or hangs: its store at " + place() + " " + what};
    return {{}, operation_, "the launcher's store at " + place() + " " + what};
  }

  /** A cause as text: the ranks at fault, a line break, what is the matter. */
  Failure publish(const std::vector<int>& ranks, const std::string& what) {
    std::string text;
    for (const int rank : ranks) text += (text.empty() ? "" : " ") + std::to_string(rank);
    text += "\n" + (ranks.empty() ? what : name_of(ranks) + " " + what);
    watch_->publish(text);
    const auto until = Clock::now() + patience();
    while (!watch_->cause() && !watch_->store_error() && Clock::now() < until) watch_->wait_for_news();
    return of_cause(watch_->cause().value_or(text));
  }

  Failure of_cause(const std::string& cause) const {
    const size_t end = cause.find('\n');
    std::istringstream numbers(cause.substr(0, end));
    Failure failure{{}, operation_, cause.substr(end + 1)};
    for (int rank; numbers >> rank;) failure.peers.push_back(rank);
    return failure;
  }

  std::string told(const Failure& failure) const {
    return "rank " + std::to_string(settings.rank) + " of " + std::to_string(settings.world) + ", " + failure.operation +
           ": " + failure.text;
  }

  [[noreturn]] void fail(const Failure& failure) const { TORCH_CHECK(false, told(failure)); }

  c10::intrusive_ptr<c10d::Store> store_;
  std::unique_ptr<Watch> watch_;
  c10::intrusive_ptr<Backend> backend_;
  int64_t operations_ = 0;
  /** The last that was begun or, where one failed, that. */
  std::string operation_;
  std::map<int64_t, Pending> pending_;
  std::optional<Failure> failure_;
};

}  // namespace promptloss::distributed
