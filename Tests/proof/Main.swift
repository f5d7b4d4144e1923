import Foundation
import MarketReceive

/// The proofs that need minutes of optimised code: each is run, its figures are printed, and the last line counts.
@main struct Proof {
  static let usage = """
    usage: proof SUBCOMMAND

      books [MESSAGES [SEED]]   books against the slow twin, message by message (default 20,000,000, seed 1)
      growth [MESSAGES [SEED]]  memory of books after the first million messages (default 20,000,000, seed 1)
      itch [SEED]               ITCH bytes cut and damaged at every place, through framing, decoder and books
      features [STEPS [SEED]]   feature slots under inputs of any bits: finite, and valid or stale (default 10,000,000, seed 1)
      model [SECONDS [SEED]]    artifacts of models cut, flipped, and damaged behind right checksums for so long (default 30, seed 1)
      league                    the league stream and the book it leaves, as other engines have them
      live [RATE [SECONDS [BYTES [LOSS]]]] [uring|recvmmsg] [--no-retransmission]
                                RATE packets a second over loopback into books, received both ways or as named; LOSS of
                                a million are left out and recovered, or make the line stale without retransmission
                                (default 200,000 for 10 s, room for 33,554,432 bytes in the socket, 1,000)
      hotloops                  the loops whose machine code ./check looks at
      all                       all but live
      names                     the proofs of all, one a line
      --help                    this text

    Exit 0 when every proof holds, 1 when one fails, 2 on bad arguments.
    """

  /// What each subcommand runs without arguments; `live` is a run of its own.
  static let all: [(name: String, proof: @Sendable () throws -> [String])] = [
    ("books", { try Proofs.books(messages: 20_000_000, seed: 1) }),
    ("growth", { try Proofs.growth(messages: 20_000_000, seed: 1) }),
    ("itch", { try Proofs.itch(seed: 1) }),
    ("features", { try Proofs.features(steps: 10_000_000, seed: 1) }),
    ("model", { try Proofs.model(seconds: 30, seed: 1) }),
    ("league", { try Proofs.league() }),
    ("hotloops", { try Proofs.hotLoops() }),
  ]

  static func main() {
    var arguments = Array(CommandLine.arguments.dropFirst())
    guard let command = arguments.first else { fail("a subcommand is needed (see --help)") }
    if command == "--help" || command == "-h" {
      print(usage)
      return
    }
    let retransmits = command != "live" || arguments.last != "--no-retransmission"
    if !retransmits { arguments.removeLast() }
    // The last word of a live run may name the way of receiving.
    let ways: [String: ReceiveConfiguration.Way] = ["uring": .uring, "recvmmsg": .recvmmsg]
    let way = command == "live" ? arguments.last.flatMap { ways[$0] } : nil
    let numbers = arguments.dropFirst().dropLast(way == nil ? 0 : 1).map(number)
    let messages = numbers.first ?? 20_000_000
    let seed = UInt64(numbers.dropFirst().first ?? 1)
    var proofs: [() throws -> [String]] = []
    switch (command, numbers.count) {
    case ("books", 0...2): proofs = [{ try Proofs.books(messages: checked(messages), seed: seed) }]
    case ("growth", 0...2): proofs = [{ try Proofs.growth(messages: checked(messages), seed: seed) }]
    case ("itch", 0...1): proofs = [{ try Proofs.itch(seed: UInt64(numbers.first ?? 1)) }]
    case ("features", 0...2):
      proofs = [{ try Proofs.features(steps: checked(numbers.first ?? 10_000_000), seed: seed) }]
    case ("model", 0...2):
      let seconds = numbers.first ?? 30
      guard (1...86_400).contains(seconds) else { fail("\(seconds) s: 1 to 86400 expected") }
      proofs = [{ try Proofs.model(seconds: seconds, seed: seed) }]
    case ("league", 0): proofs = [Proofs.league]
    case ("live", 0...4):
      var run = LoopbackRun()
      run.retransmits = retransmits
      run.rate = numbers.first ?? run.rate
      run.seconds = numbers.dropFirst().first ?? run.seconds
      run.socketBytes = numbers.dropFirst(2).first ?? run.socketBytes
      run.lossPerMillion = numbers.dropFirst(3).first ?? run.lossPerMillion
      guard (1...10_000_000).contains(run.rate), (1...3_600).contains(run.seconds), run.rate * run.seconds <= 50_000_000
      else {
        fail("\(run.rate) packets a second for \(run.seconds) s: at most 50,000,000 packets expected")
      }
      proofs = (way.map { [$0] } ?? [.best, .recvmmsg]).map { way in
        var run = run
        run.way = way
        return { [run] in try Proofs.live(run) }
      }
    case ("hotloops", 0): proofs = [Proofs.hotLoops]
    case ("all", 0): proofs = all.map(\.proof)
    case ("names", 0):
      for (name, _) in all { print(name) }
      return
    default: fail("'\(arguments.joined(separator: " "))' is no subcommand (see --help)")
    }

    var passed = 0
    for proof in proofs {
      do {
        let failures = try proof()
        for failure in failures.prefix(20) { print("  FAILED: \(failure)") }
        if failures.isEmpty { passed += 1 }
      } catch { print("  FAILED: \(error)") }
    }
    print("\(passed) passed, \(proofs.count - passed) failed")
    exit(passed == proofs.count ? 0 : 1)
  }

  private static func number(_ text: String) -> Int {
    guard let number = Int(text.filter { $0 != "_" && $0 != "," }), number >= 0 else {
      fail("'\(text)' is no number (see --help)")
    }
    return number
  }

  private static func checked(_ messages: Int) -> Int {
    guard (1_000...1_000_000_000_000).contains(messages) else {
      fail("\(messages) messages: 1000 to 10^12 expected")
    }
    return messages
  }

  private static func fail(_ text: String) -> Never {
    FileHandle.standardError.write(Data("proof: \(text)\n".utf8))
    exit(2)
  }
}
