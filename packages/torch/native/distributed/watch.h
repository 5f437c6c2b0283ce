// Who of a group's processes lives, and how far each has come: every rank writes a beat into the group's store, some
// times a time-out, and reads all others'. The first that finds out why an operation failed writes that as the cause,
// and whoever waits then stops waiting, so that all ranks tell of the same one.
//
// A thread of its own does it, which beats while JavaScript computes. Only that thread asks the store, since a store whose
// host hangs answers nothing and knows no time-out for most of its calls.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <torch/csrc/distributed/c10d/Store.hpp>

namespace promptloss::distributed {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

/** What a rank says of itself. Its reason is set where it has stopped by itself. */
struct Beat {
  int64_t count = 0;
  /** Operations begun. */
  int64_t operations = 0;
  /** Whether it has read why the group ends: a cause, or the reason of a rank that stops. */
  bool told = false;
  /** "host box, process 123" */
  std::string identity;
  std::string reason;
};

inline std::string text_of(const Beat& beat) {
  return std::to_string(beat.count) + "\n" + std::to_string(beat.operations) + "\n" + (beat.told ? "1" : "0") + "\n" + beat.identity + "\n" + beat.reason;
}

inline Beat beat_of(const std::string& text) {
  Beat beat;
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  beat.count = std::strtoll(line.c_str(), nullptr, 10);
  std::getline(lines, line);
  beat.operations = std::strtoll(line.c_str(), nullptr, 10);
  std::getline(lines, line);
  beat.told = line == "1";
  std::getline(lines, beat.identity);
  std::getline(lines, beat.reason, '\0');
  return beat;
}

/** Of the store's values: libtorch 1.13 takes and gives bytes alone. */
inline std::vector<uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

inline std::string text_in(c10d::Store& store, const std::string& key) {
  const std::vector<uint8_t> bytes = store.get(key);
  return {bytes.begin(), bytes.end()};
}

class Watch {
 public:
  struct Peer {
    Beat beat;
    Clock::time_point changed = Clock::now();
  };

  Watch(c10::intrusive_ptr<c10d::Store> store, int rank, int world, Milliseconds interval, std::string identity)
      : interval(interval), store_(std::move(store)), rank_(rank), peers_(static_cast<size_t>(world)) {
    own_.identity = std::move(identity);
  }

  /** How long between two beats. */
  const Milliseconds interval;

  static std::string key_of(int rank) { return "beat/" + std::to_string(rank); }

  /** The first beat: others can see that this rank is there. */
  void announce() { store_->set(key_of(rank_), bytes_of(text_of(own_))); }

  void start() {
    thread_ = std::thread([this] { run(); });
  }

  /** Ends the thread; false where it hangs in the store, and then it and the watch must be left as they are. */
  bool stop(Milliseconds patience) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (!thread_.joinable()) return true;
    std::unique_lock<std::mutex> lock(mutex_);
    const bool ended = changed_.wait_for(lock, patience, [this] { return ended_; });
    lock.unlock();
    if (ended)
      thread_.join();
    else
      thread_.detach();
    return ended;
  }

  void begin_operation(int64_t number) {
    std::lock_guard<std::mutex> lock(mutex_);
    own_.operations = number;
  }

  /** Says to all others, within a beat, that this rank stops, and why. */
  void leave(const std::string& reason) {
    std::lock_guard<std::mutex> lock(mutex_);
    own_.reason = reason;
    hurry_ = true;
    changed_.notify_all();
  }

  /** Makes this the cause, unless another rank was first; `cause()` has the one that counts after a beat. */
  void publish(const std::string& cause) {
    std::lock_guard<std::mutex> lock(mutex_);
    to_publish_ = cause;
    hurry_ = true;
    changed_.notify_all();
  }

  std::optional<std::string> cause() {
    std::lock_guard<std::mutex> lock(mutex_);
    return cause_;
  }

  /** The store's own error, once it answers no more. */
  std::optional<std::string> store_error() {
    std::lock_guard<std::mutex> lock(mutex_);
    return store_error_;
  }

  std::vector<Peer> peers() {
    std::lock_guard<std::mutex> lock(mutex_);
    return peers_;
  }

  /** When the store answered last. */
  Clock::time_point answered() {
    std::lock_guard<std::mutex> lock(mutex_);
    return answered_;
  }

  /** Waits until all other ranks but those at fault have read why the group ends; for the one that takes the store along. */
  void await_told(const std::vector<int>& at_fault, Clock::time_point until) {
    const auto is_told = [&] {
      for (size_t peer = 0; peer < peers_.size(); ++peer) {
        const int rank = static_cast<int>(peer);
        const bool counts = rank != rank_ && std::find(at_fault.begin(), at_fault.end(), rank) == at_fault.end();
        if (counts && !peers_[peer].beat.told && peers_[peer].beat.reason.empty()) return false;
      }
      return true;
    };
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait_until(lock, until, [&] { return ended_ || is_told(); });
  }

  /** Waits for news from the store, a beat at most. */
  void wait_for_news() {
    std::unique_lock<std::mutex> lock(mutex_);
    const int64_t round = round_;
    changed_.wait_for(lock, interval, [&] { return round_ != round || ended_; });
  }

 private:
  void run() {
    const std::string cause_key = "cause";
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stopping_) {
      own_.count++;
      hurry_ = false;
      const std::string beat = text_of(own_);
      const std::string to_publish = to_publish_;
      to_publish_.clear();
      lock.unlock();
      std::vector<std::string> texts;
      std::optional<std::string> cause, error;
      try {
        store_->set(key_of(rank_), bytes_of(beat));
        if (!to_publish.empty()) store_->compareSet(cause_key, {}, bytes_of(to_publish));
        for (size_t peer = 0; peer < peers_.size(); ++peer) texts.push_back(text_in(*store_, key_of(static_cast<int>(peer))));
        if (store_->check({cause_key})) cause = text_in(*store_, cause_key);
      } catch (const std::exception& thrown) {
        error = thrown.what();
      }
      lock.lock();
      const auto now = Clock::now();
      round_++;
      if (error) {
        store_error_ = error;
        break;
      }
      answered_ = now;
      if (cause) cause_ = cause;
      bool ends = cause_.has_value();
      for (size_t peer = 0; peer < texts.size(); ++peer) {
        const Beat found = beat_of(texts[peer]);
        if (found.count != peers_[peer].beat.count) peers_[peer].changed = now;
        peers_[peer].beat = found;
        if (!found.reason.empty() && static_cast<int>(peer) != rank_) ends = true;
      }
      // The next beat says at once that this rank knows.
      if (ends && !own_.told) own_.told = hurry_ = true;
      changed_.notify_all();
      changed_.wait_for(lock, interval, [this] { return stopping_ || hurry_; });
    }
    ended_ = true;
    changed_.notify_all();
  }

  c10::intrusive_ptr<c10d::Store> store_;
  const int rank_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Beat own_;
  std::vector<Peer> peers_;
  std::string to_publish_;
  std::optional<std::string> cause_;
  std::optional<std::string> store_error_;
  Clock::time_point answered_ = Clock::now();
  int64_t round_ = 0;
  bool hurry_ = false;
  bool stopping_ = false;
  bool ended_ = false;
};

}  // namespace promptloss::distributed
