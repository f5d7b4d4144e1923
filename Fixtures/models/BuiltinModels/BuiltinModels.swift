internal import CBuiltinModels
public import ModelInference

/// The models the executables carry, for machines where nobody has brought one.
public enum BuiltinModels {
  /// The bytes of the fixture ensemble, `Fixtures/models/ensemble.martlet`.
  public static var ensembleBytes: [UInt8] {
    // In bounds: the length is that of the array behind the pointer, which lives as long as the program.
    unsafe Array(UnsafeBufferPointer(start: martlet_builtin_ensemble(), count: martlet_builtin_ensemble_length()))
  }

  /// The fixture ensemble, verified: 100 trees of 31 leaves and an 8-bit network 96-64-32-1.
  ///
  /// - Throws: `ArtifactError` where the program was built with a damaged file, or one for another feature schema.
  public static func ensemble() throws(ArtifactError) -> ModelArtifact {
    try ModelArtifact(bytes: ensembleBytes, name: "built-in ensemble.martlet")
  }
}
