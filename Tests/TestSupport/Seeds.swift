/// Seeds of the property tests: each failure prints the one it came from.
public enum Seeds {
  /// A few seeds, for tests that run in seconds.
  public static let brief: [UInt64] = [1, 2, 3, 0xDEAD_BEEF, 0x9E37_79B9_7F4A_7C15]
}
