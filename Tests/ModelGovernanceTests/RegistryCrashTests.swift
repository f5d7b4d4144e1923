import Foundation
import TestSupport
import Testing
import TradingTypes

@testable import ModelGovernance

// Goal: a crash between any two steps leaves a registry that opens, and either has the change or has not. Method: every step of every
// change is made the last one in turn, writes torn in the middle; then damaged files.
struct RegistryCrashTests {
  private static let passed = try? report(passed: true)

  private static func passedReport() throws -> GateReport { try #require(passed) }

  /// A life that takes every kind of change.
  static let life: [@Sendable (inout ModelRegistry) throws -> Void] = [
    { _ = try $0.add("m", artifact: [1, 2, 3, 4], at: at(1)) },
    { try $0.stage("m", version: 1, at: at(2)) },
    { try $0.record(gates: passedReport(), of: "m", version: 1, at: at(3)) },
    { try $0.approve("m", version: 1, reason: "r", at: at(4)) },
    { try $0.promote("m", version: 1, at: at(5)) },
    { _ = try $0.add("m", artifact: [5, 6, 7, 8], at: at(6)) },
    { try $0.archive("m", version: 1, at: at(7)) },
    { _ = try $0.rollBack("m", at: at(8)) },
    { try $0.note(ModelEvent(.swapped, model: "m", version: 1, at: at(9))) },
  ]

  @Test func `a crash at any step of any change leaves the registry before it or after it`() throws {
    // The folder and its state after each change, without crashes.
    let clean = try RegistryFolder()
    var states = [RegistryState()]
    var folders = [try RegistryFolder(copying: clean)]
    do {
      var registry = try clean.open()
      for change in Self.life {
        try change(&registry)
        states.append(registry.state)
        folders.append(try RegistryFolder(copying: clean))
      }
    }
    var crashCount = 0
    for (number, change) in Self.life.enumerated() {
      var step = 0
      while true {
        step += 1
        let folder = try RegistryFolder(copying: folders[number])
        var isDone = false
        do {
          var registry = try folder.open()
          registry.files.stopsAtStep = registry.files.stepCount + step
          let line = refusal { try change(&registry) }
          isDone = line == nil
          if !isDone {
            crashCount += 1
            #expect(line?.hasPrefix("stopped at step") == true, "\(line ?? "")")
            // The writer that failed must not go on.
            registry.files.stopsAtStep = nil
            let next = refusal { _ = try registry.add("n", artifact: [9], at: at(10)) }
            #expect(next == "\(folder.path): a write failed before; open the registry again")
          }
        }
        // Readers first: they repair nothing.
        let read = try folder.open(.reading).state
        #expect(read == states[number] || read == states[number + 1], "change \(number) step \(step)")
        var registry = try folder.open()
        let reopened = registry.state
        #expect(reopened == read && (!isDone || read == states[number + 1]), "change \(number) step \(step)")
        if read == states[number] { try change(&registry) }
        let end = registry.state
        #expect(end == states[number + 1] && registry.faults() == [], "change \(number) step \(step)")
        if isDone { break }
      }
    }
    // Six steps a change and four more for each new artifact; the history itself is there since the registry was made.
    #expect(crashCount == 9 * 6 + 2 * 4, "\(crashCount)")
  }

  @Test func `a crash while a crash is repaired does no harm`() throws {
    for step in 1...6 {
      let folder = try RegistryFolder()
      do {
        var registry = try folder.open()
        for change in Self.life.prefix(3) { try change(&registry) }
      }
      // A torn line, and a view from before.
      folder.history += Array("{\"kind\":\"sta".utf8)
      try FileManager.default.removeItem(atPath: "\(folder.path)/models.json")
      var files = RegistryFiles(folder: folder.path)
      files.stopsAtStep = step
      let line = refusal { _ = try ModelRegistry(files: files, .writing) }
      #expect((line == nil) == (step == 6), "step \(step) \(line ?? "")")
      let registry = try folder.open()
      let stage = try registry.state.version(1, of: "m").stage
      #expect(stage == .staging && registry.faults() == [], "step \(step)")
    }
  }

  @Test func `only one writer, any number of readers`() throws {
    let folder = try RegistryFolder()
    do {
      var writer = try folder.open()
      #expect(folder.refusal() == "R/lock: another writer has the registry open")
      #expect(folder.refusal(.reading) == nil)
      _ = try writer.add("m", artifact: [1], at: at(1))
    }
    #expect(folder.refusal() == nil)
    var reader = try folder.open(.reading)
    let line = refusal { try reader.stage("m", version: 1, at: at(2)) }
    #expect(line == "\(folder.path): opened for reading only")
  }

  @Test func `damage is refused in one line that names the file`() throws {
    let folder = try RegistryFolder()
    do {
      var registry = try folder.open()
      for change in Self.life.prefix(2) { try change(&registry) }
    }
    let good = folder.history
    let lines = good.split(separator: UInt8(ascii: "\n")).map { Array($0) + [UInt8(ascii: "\n")] }
    let tooShort = "R/history.jsonl: 2 lines expected as models.json says, "
    for (bytes, line) in [
      (lines[0], tooShort + "1 found"), ([], tooShort + "0 found"),
      (lines[1], "R/history.jsonl: line 1: event 2: event 1 expected"),
      (lines[0] + lines[0], "R/history.jsonl: line 2: event 1: event 2 expected"),
      (lines[0] + Array("{}\n".utf8) + lines[1], "R/history.jsonl: line 2: an event in JSON expected"),
      ([0xFF, 0x0A] + good, "R/history.jsonl: line 1: an event in JSON expected"),
    ] {
      folder.history = bytes
      #expect(folder.refusal() == line)
    }
    // An edited line breaks the chain, or the view's sum where it is the last.
    let text = String(decoding: good, as: UTF8.self)
    folder.history = Array(text.replacing("\"bytes\":4", with: "\"bytes\":5").utf8)
    #expect(folder.refusal() == "R/history.jsonl: line 2: event 2: it does not continue the line before it")
    folder.history = Array(text.replacing("\"time_ns\":2000000000", with: "\"time_ns\":3000000000").utf8)
    #expect(folder.refusal() == "R/history.jsonl: the history that models.json sums up expected, another found")
    folder.history = good
    #expect(folder.refusal() == nil)
    // The artifact of a staged version: changed, cut, gone.
    let sha256 = try folder.open(.reading).state.models[0].versions[0].artifact.sha256
    let artifact = URL(fileURLWithPath: "\(folder.path)/artifacts/\(sha256)")
    for bytes in [[1, 2, 3, 5], [1, 2, 3], []] as [[UInt8]] {
      try Data(bytes).write(to: artifact)
      #expect(folder.refusal() == "R/artifacts/\(sha256): content of this hash and 4 bytes expected")
    }
    try FileManager.default.removeItem(at: artifact)
    #expect(folder.refusal() == "R/artifacts/\(sha256): no such file")
    #expect(refusal { _ = try ModelRegistry("/nonexistent/registry") }?.contains("history.jsonl not found") == true)
  }

  @Test(arguments: Seeds.brief)
  func `no flipped or missing byte of the history goes unnoticed or traps`(seed: UInt64) throws {
    let folder = try RegistryFolder()
    do {
      var registry = try folder.open()
      for change in Self.life.prefix(5) { try change(&registry) }
    }
    let good = folder.history
    var random = SplitMix64(seed: seed)
    for _ in 0..<60 {
      var bytes = good
      let place = random.below(bytes.count)
      if random.below(2) == 0 { bytes[place] ^= UInt8(1 << random.below(8)) } else { bytes.remove(at: place) }
      folder.history = bytes
      #expect(folder.refusal(.reading) != nil, "seed \(seed) byte \(place)")
    }
  }
}
