import FuzzTargets
import Glibc

// libFuzzer's entry points. Which decoder is fuzzed, MARTLET_FUZZ_TARGET says: a process fuzzes one.

nonisolated(unsafe) private var target: FuzzTarget = .itchFrames

/// Called once, before the first input.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
  _ count: UnsafeMutablePointer<Int32>?,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>?
) -> Int32 {
  let name = unsafe getenv("MARTLET_FUZZ_TARGET").map { unsafe String(cString: $0) } ?? ""
  guard let named = FuzzTarget(rawValue: name) else {
    print("fuzz: MARTLET_FUZZ_TARGET '\(name)': one of \(FuzzTarget.allCases.map(\.rawValue)) expected")
    exit(2)
  }
  unsafe target = named
  return 0
}

/// Called with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  unsafe target.run(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}
