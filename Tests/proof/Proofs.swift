import FixtureStreams
import FuzzTargets
import Glibc
import LockFreeRings
import OrderBooks
import TradingTypes

/// The proofs by name; each prints what it did and gives the differences it found, none when it holds.
enum Proofs {
  /// Orders that rest in the streams of the book proofs.
  static let liveOrders = 8_192

  static func books(messages: Int, seed: UInt64) throws -> [String] {
    try timed("books: \(messages) messages round \(liveOrders) resting orders, against the slow twin, seed \(seed)") {
      let differences = try BookProof.compare(messages: messages, live: liveOrders, seed: seed)
      return ("\(differences.count) differences", differences)
    }
  }

  static func growth(messages: Int, seed: UInt64) throws -> [String] {
    try timed("growth: resident memory from the first million of \(messages) messages to the last, seed \(seed)") {
      let bytes = try BookProof.growth(messages: messages, live: liveOrders, seed: seed)
      return ("\(bytes) bytes, at most \(1 << 20)", bytes <= 1 << 20 ? [] : ["grew by \(bytes) bytes"])
    }
  }

  static func league() throws -> [String] {
    try timed("league: a million messages that other engines are given too, and the book they leave") {
      let differences = try LeagueProof.differences()
      return ("\(LeagueProof.expected.count) figures, \(differences.count) differ", differences)
    }
  }

  static func features(steps: Int, seed: UInt64) throws -> [String] {
    try timed("features: \(steps) messages, books and values of any bits, every slot after each, seed \(seed)") {
      let planted =
        try FeatureProof.faults(steps: 20_000, seed: seed, plantedAt: 12_345).count
        + FeatureProof.faults(steps: 20_000, seed: seed, plantedAt: 12_346).count
      guard planted > 0 else { return ("blind", ["a slot that was made not a number was not found"]) }
      let faults = try FeatureProof.faults(steps: steps, seed: seed)
      return ("\(faults.count) faults; a planted one is found", faults)
    }
  }

  static func hotLoops() throws -> [String] {
    try timed("hot loops: \(HotLoops.count) operations of each ring in code like a host's") {
      let failures = try HotLoops.run()
      return ("\(failures.count) wrong sums", failures)
    }
  }

  static func itch(seed: UInt64) throws -> [String] {
    let slice = ItchProof.slice(byteCount: 65_536, seed: seed)
    var failures = timed("itch: every prefix of \(slice.count) bytes, seed \(seed)") {
      judged(ItchProof.prefixes(of: slice), runs: slice.count + 1)
    }
    failures += timed("itch: at each of \(slice.count) offsets all 8 bit flips, 0x00 and 0xFF") {
      judged(ItchProof.damages(to: slice), runs: slice.count * 10)
    }
    failures += try timed("itch: a random byte at each of \(slice.count) offsets, through the books, seed \(seed)") {
      var books = try BookProof.makeBooks(BookCapacity(instruments: 64, orders: 8_192))
      var events = 0
      var broken: [String] = []
      let tally = ItchProof.randomBytes(in: slice, seed: seed) { event in
        // The books are whole at the end of a pass, where the next one clears the first of them; every 64th is looked at.
        if event.kind == .clearBook, event.instrument.index == 0 {
          events += 1
          if events % 64 == 0, let fault = books.checkInvariants() { broken.append("pass \(events): \(fault)") }
        }
        _ = books.apply(event)
      }
      let (figures, failures) = judged(tally, runs: slice.count)
      return (figures + "; \(events / 64) times the books were whole", failures + broken)
    }
    return failures
  }

  static func model(seconds limit: Int, seed: UInt64) throws -> [String] {
    var damage = try ArtifactDamage(seed: seed)
    let flips = 100_000
    var failures = timed(
      "model: every truncation of an artifact of \(damage.whole.count) bytes, and \(flips) flips, seed \(seed)"
    ) {
      var tally = damage.truncations()
      let flipped = damage.flips(flips)
      tally.tried += flipped.tried
      tally.refused += flipped.refused
      let loaded = tally.tried - tally.refused
      return (
        "\(tally.refused) of \(tally.tried) refused", loaded == 0 ? [] : ["\(loaded) damaged artifacts were loaded"]
      )
    }
    failures += timed(
      "model: damage behind right checksums for \(limit) s, what loads is asked for answers, seed \(seed)"
    ) {
      var tally = ArtifactDamage.Tally()
      let start = Self.seconds()
      repeat {
        let more = damage.resealed(100)
        tally.tried += more.tried
        tally.refused += more.refused
      } while Self.seconds() - start < Double(limit)
      // A loader that refuses everything, or nothing, shows that the damage does not reach what it should.
      let isBlind = tally.refused == tally.tried || tally.refused == 0
      return ("\(tally.refused) of \(tally.tried) refused, no trap", isBlind ? ["none, or all, were refused"] : [])
    }
    return failures
  }

  private static func judged(_ tally: ItchProof.Tally, runs: Int) -> (String, [String]) {
    var failures: [String] = []
    if tally.unsound != 0 { failures.append("\(tally.unsound) unsound") }
    if tally.runs != runs { failures.append("\(tally.runs) passes, \(runs) expected") }
    return (tally.description, failures)
  }

  private static func timed(_ title: String, _ body: () throws -> (String, [String])) rethrows -> [String] {
    print(title)
    // Seen as it happens, also through a pipe.
    fflush(nil)
    let start = seconds()
    let (figures, failures) = try body()
    print("  \(figures) (\(Int((seconds() - start).rounded())) s)")
    return failures
  }

  private static func seconds() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
