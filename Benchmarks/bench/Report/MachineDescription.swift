import EngineTelemetry
import Foundation

/// The machine and the build a report was measured on.
struct MachineDescription: Equatable {
  var processor: String
  var cores: Int
  var isVirtual: Bool
  var kernel: String
  /// Transparent huge pages' setting and the number of reserved ones.
  var hugePages: String
  /// The frequency governor, or "unknown" where the system does not say.
  var governor: String
  var memoryBytes: UInt64
  var swift: String
  /// `release` or `debug`.
  var configuration: String
  /// What the optional libraries and the system granted: a line for each thing worth knowing.
  var notes: [String]
  /// The processor the pipeline is pinned to, if any.
  var pinnedProcessor: Int?
  var timerFloor: Int64
  var timerStep: Int64
  var usesCounter: Bool

  /// This machine, this process.
  ///
  /// - Parameters:
  ///   - notes: what only the caller knows: fallbacks of libraries, the grant of an arena, the ensemble that ran.
  init(clock: TickClock, pinnedProcessor: Int? = nil, notes: [String] = []) {
    let processors = Self.read("/proc/cpuinfo")
    processor = Self.field("model name", of: processors) ?? Self.field("CPU part", of: processors) ?? "unknown"
    cores = ProcessInfo.processInfo.activeProcessorCount
    isVirtual = processors.contains(" hypervisor")
    kernel = Self.read("/proc/sys/kernel/osrelease")
    let setting = Self.read("/sys/kernel/mm/transparent_hugepage/enabled")
    let chosen = setting.split(separator: " ").first { $0.hasPrefix("[") }?.dropFirst().dropLast()
    let reserved = Self.field("HugePages_Total", of: Self.read("/proc/meminfo")) ?? "0"
    hugePages = "transparent \(chosen ?? "unknown"), \(reserved) reserved"
    let governor = Self.read("/sys/devices/system/cpu/cpu\(pinnedProcessor ?? 0)/cpufreq/scaling_governor")
    self.governor = governor.isEmpty ? "unknown" : governor
    memoryBytes = ProcessInfo.processInfo.physicalMemory
    swift = Self.compiler
    configuration = OptimisedRestart.isDebug ? "debug" : "release"
    self.notes = notes
    self.pinnedProcessor = pinnedProcessor
    timerFloor = clock.floorNanoseconds
    timerStep = clock.stepNanoseconds
    usesCounter = clock.usesCounter
  }

  var json: JSONValue {
    .object([
      .init("cpu", .text(processor)), .init("cores", .integer(Int64(cores))), .init("virtual", .bool(isVirtual)),
      .init("pinned", pinnedProcessor.map { .integer(Int64($0)) } ?? .null), .init("kernel", .text(kernel)),
      .init("memory_bytes", .unsigned(memoryBytes)), .init("huge_pages", .text(hugePages)),
      .init("governor", .text(governor)), .init("swift", .text(swift)), .init("configuration", .text(configuration)),
      .init("timer", .text(usesCounter ? "tsc" : "monotonic")), .init("timer_floor_ns", .integer(timerFloor)),
      .init("timer_step_ns", .integer(timerStep)), .init("notes", .array(notes.map { .text($0) })),
    ])
  }

  /// A few lines for a person.
  var text: String {
    let pinned = pinnedProcessor.map { "pinned to processor \($0)" } ?? "not pinned"
    var text =
      "machine     \(processor), \(cores) cores\(isVirtual ? ", virtual" : ""), \(memoryBytes >> 20) MiB, \(pinned)\n"
    text += "system      Linux \(kernel), huge pages: \(hugePages), governor: \(governor)\n"
    text += "build       Swift \(swift), \(configuration)\n"
    text += "timer       \(usesCounter ? "time stamp counter" : "monotonic clock"), "
    text += "floor \(Readable.time(timerFloor)), step \(Readable.time(timerStep)); stage times include one floor\n"
    for note in notes { text += "note        \(note)\n" }
    text.removeLast()
    return text
  }

  /// A file's text without white space at its ends; empty where it cannot be read.
  private static func read(_ path: String) -> String {
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// What follows the colon on the first line that begins with `name`.
  private static func field(_ name: String, of text: String) -> String? {
    let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
    return line?.split(separator: ":", maxSplits: 1).dropFirst().first?.trimmingCharacters(in: .whitespaces)
  }

  private static var compiler: String {
    #if compiler(>=6.4)
      "6.4 or later"
    #elseif compiler(>=6.3.1)
      "6.3.1 or later in 6.3"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }
}
