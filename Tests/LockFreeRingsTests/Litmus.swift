import LockFreeRings
import Synchronization
import TradingTypes

/// A litmus program: two threads, each with a few steps over the same words, run over many instances of those words. What both saw
/// is one outcome; the program lists those that may and those that must not come.
struct Litmus {
  /// What one thread saw, as the program numbers it.
  typealias Observation = UInt8

  /// The first thread's observation, the second one's, and whether the memory model permits both in one run.
  struct Row {
    var name: String
    var first: Observation
    var second: Observation
    var isAllowed: Bool
  }

  var name: String
  /// Every outcome that can be told apart. One that is not listed is forbidden.
  var rows: [Row]

  /// How often each row came, and how often something that is not listed.
  struct Counts {
    var rows: [Int]
    var unlisted = 0
  }

  /// Runs the program over all of `instances` at a time until it has run `count` times.
  ///
  /// - Parameters:
  ///   - first: the first thread's steps on an instance.
  ///   - second: the second thread's.
  ///   - reset: makes an instance ready again, on the first thread, while the second one waits.
  func run(
    instances: Int, count: UInt64, seed: UInt64 = 1,
    first: (Int) -> Observation, second: @escaping @Sendable (Int) -> Observation, reset: (Int) -> Void
  ) -> Counts {
    let shared = Rendezvous(instances: instances)
    let rounds = max(1, count / UInt64(instances))
    let thread = PinnedThread(ThreadConfiguration(name: "litmus")) {
      var random = SplitMix64(seed: seed)
      for round in 1...rounds {
        shared.await(shared.begun, round)
        shared.idle(random.next() & 63)
        for instance in 0..<instances { shared.seen[instance] = second(instance) }
        // Release, paired with the acquire in `await`: what was seen is there to be read.
        shared.ended.store(round, ordering: .releasing)
      }
    }
    var random = SplitMix64(seed: seed &+ 1)
    var counts = Counts(rows: [Int](repeating: 0, count: rows.count))
    var own = [Observation](repeating: 0, count: instances)
    // The row of each pair of observations below 16.
    var places = [Int](repeating: -1, count: 256)
    for (place, row) in rows.enumerated() { places[Int(row.first) << 4 | Int(row.second)] = place }
    for round in 1...rounds {
      for instance in 0..<instances { reset(instance) }
      // Release, paired with the acquire in `await`: the instances are ready.
      shared.begun.store(round, ordering: .releasing)
      shared.idle(random.next() & 63)
      for instance in 0..<instances { own[instance] = first(instance) }
      shared.await(shared.ended, round)
      for instance in 0..<instances {
        let place = places[Int(own[instance] & 15) << 4 | Int(shared.seen[instance] & 15)]
        if place < 0 { counts.unlisted += 1 } else { counts.rows[place] += 1 }
      }
    }
    thread.join()
    return counts
  }

  /// One line an outcome, for the log.
  func table(_ counts: Counts) -> String {
    let lines = zip(rows, counts.rows).map { "  \($0.isAllowed ? "allowed  " : "forbidden") \($1)  \($0.name)" }
    return (["litmus: \(name)"] + lines + ["  forbidden \(counts.unlisted)  anything else"]).joined(separator: "\n")
  }

  /// Runs in which something forbidden came.
  func forbidden(_ counts: Counts) -> Int {
    zip(rows, counts.rows).reduce(counts.unlisted) { $1.0.isAllowed ? $0 : $0 + $1.1 }
  }
}

/// Where the two threads of a litmus program meet before and after each round.
private final class Rendezvous: @unchecked Sendable {
  let begun = Atomic<UInt64>(0)
  let ended = Atomic<UInt64>(0)
  // Written by the second thread during a round, read by the first after it: ordered by `ended`.
  var seen: [Litmus.Observation]

  init(instances: Int) { seen = [Litmus.Observation](repeating: 0, count: instances) }

  func await(_ word: borrowing Atomic<UInt64>, _ round: UInt64) {
    var looks = 0
    // Acquire, paired with the releases of the rounds.
    while word.load(ordering: .acquiring) < round {
      looks += 1
      // The threads may share a processor.
      if looks & 1_023 == 0 { yieldThread() } else { spinPause() }
    }
  }

  /// So that neither thread is always ahead.
  func idle(_ pauses: UInt64) { for _ in 0..<pauses { spinPause() } }
}
