// Goal: bench does what the command line says, or says what is wrong with it. Method: a table of good and of bad lines.
import Foundation
import Testing

@testable import bench

@Suite struct `Arguments of bench` {
  @Test func `every option is understood, in both spellings`() throws {
    #expect(try BenchArguments([]) == BenchArguments())
    let apart = try BenchArguments(
      "--quick --json a.json --only ring.* --rate 1,1000000000 --plot b.svg --input c.itch --seed 0xff".split(
        separator: " "
      ).map(String.init))
    let joined = try BenchArguments(
      "--seed=255 --input=c.itch --plot=b.svg --rate=1,1000000000 --only=ring.* --json=a.json --quick".split(
        separator: " "
      ).map(String.init))
    #expect(apart == joined)
    #expect(apart.isQuick && apart.jsonFile == "a.json" && apart.only == "ring.*" && apart.plotFile == "b.svg")
    #expect(apart.inputFile == "c.itch" && apart.seed == 255 && apart.rates == [1, 1_000_000_000])
    #expect(try BenchArguments(["-h"]).showsHelp)
    #expect(try BenchArguments(["--only", "-x"]).only == "-x")
  }

  @Test(arguments: [
    (["--fast"], "unknown argument '--fast' (see --help)"), (["quick"], "unknown argument 'quick' (see --help)"),
    ([""], "unknown argument '' (see --help)"), (["--quick=1"], "--quick takes no value"),
    (["--quick", "--quick"], "--quick is given twice"), (["--json"], "--json needs a value"),
    (["--json", "--quick"], "--json needs a value"), (["--json="], "--json needs a value"),
    (["--rate", "0"], "--rate: '0' is not a number of messages a second from 1 to 1000000000"),
    (["--rate", "1,,2"], "--rate: '' is not a number of messages a second from 1 to 1000000000"),
    (["--rate", "1e5"], "--rate: '1e5' is not a number of messages a second from 1 to 1000000000"),
    (["--rate", "1000000001"], "--rate: '1000000001' is not a number of messages a second from 1 to 1000000000"),
    (["--rate", "5,5"], "--rate: 5 is given twice"), (["--plot", "a.png"], "--plot: 'a.png' does not end in .svg"),
    (["--seed", "-1"], "--seed: '-1' is not a number below 2^64"),
    (["--seed", "0x"], "--seed: '0x' is not a number below 2^64"),
    (["--seed", "18446744073709551616"], "--seed: '18446744073709551616' is not a number below 2^64"),
    (["--json", "a.svg", "--plot", "a.svg"], "--json and --plot name the same file 'a.svg'"),
  ])
  func `a bad line gives one clear line`(arguments: [String], message: String) {
    let error = #expect(throws: UsageError.self) { try BenchArguments(arguments) }
    #expect(error?.description == message)
    #expect(error?.description.contains("\n") == false)
  }

  @Test(arguments: [
    (nil, "ring.mpsc", true), ("mpsc", "ring.mpsc", true), ("spsc", "ring.mpsc", false), ("ring.*", "ring.mpsc", true),
    ("*.mpsc", "ring.mpsc", true), ("*mps", "ring.mpsc", false), ("r*g*c", "ring.mpsc", true), ("*", "", true),
    ("ring.*.8B", "ring.8B", false), ("ring*.8B", "ring.8B", true),
  ])
  func `only the rows asked for are measured`(pattern: String?, name: String, isSelected: Bool) {
    var arguments = BenchArguments()
    arguments.only = pattern
    #expect(arguments.selects(name) == isSelected)
  }

  @Test func `a file is written whole, and a bad place is refused before the run`() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("a.json").path
    try WholeFile.check(file, option: "--json")
    for text in ["a longer text\n", "short\n"] {
      try WholeFile.write(text, to: file)
      #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.json"])
    let missing = folder.appendingPathComponent("none").appendingPathComponent("a.json").path
    #expect(throws: UsageError.self) { try WholeFile.check(missing, option: "--json") }
    #expect(throws: UsageError.self) { try WholeFile.check(folder.path, option: "--json") }
    #expect(throws: UsageError.self) { try WholeFile.write("", to: missing) }
  }

  @Test func `the optimised process gets the same arguments and folders`() {
    let usual = OptimisedRestart.command(
      executable: "/p/.build/x86_64-unknown-linux-gnu/debug/bench", root: "/p", arguments: ["--only", "a b"])
    #expect(usual == ["swift", "run", "--package-path", "/p", "-c", "release", "bench", "--only", "a b"])
    let apart = OptimisedRestart.command(
      executable: "/q/x86_64-unknown-linux-gnu/debug/bench", root: "/p", arguments: [])
    #expect(apart == ["swift", "run", "--package-path", "/p", "--scratch-path", "/q", "-c", "release", "bench"])
    let unknown = OptimisedRestart.command(executable: "", root: "/p", arguments: [])
    #expect(unknown == ["swift", "run", "--package-path", "/p", "-c", "release", "bench"])
    let manifest = URL(fileURLWithPath: OptimisedRestart.packageRoot).appendingPathComponent("Package.swift")
    #expect(FileManager.default.fileExists(atPath: manifest.path))
  }
}
