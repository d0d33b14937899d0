
# The second library, with CUDA. R installs every library that it finds in this folder. It has NVIDIA's libraries by name, so that it
# loads only where they are; the package's own library stays free of them.
CUDA_TARGET = $(TARGET)/cuda
CUDA_ENVIRONMENT = CUDA_HOME="@CUDA_HOME@" CUDA_PATH="@CUDA_HOME@" CUDA_ROOT="@CUDA_HOME@" CUDA_TOOLKIT_ROOT_DIR="@CUDA_HOME@" CUDA_COMPUTE_CAP="@CUDA_COMPUTE_CAP@"
CUDA_LIBS = -L"@CUDA_LIB@" -L"@CUDA_LIB@/stubs" -Wl,-rpath,"@CUDA_LIB@" -lcuda -lcublas -lcublasLt -lcurand -lnvrtc -lcudart -lstdc++

tidy: spaxR_cuda$(SHLIB_EXT)

.PHONY: cuda_library

cuda_library: $(SHLIB)
	PATH="@CUDA_HOME@/bin:$(PATH):@CARGO_BIN@" @CARGO_HOME@ $(CUDA_ENVIRONMENT) cargo build --lib --release --locked --manifest-path rust/cuda/Cargo.toml --target-dir "$(CUDA_TARGET)" @FLAGS@

spaxR_cuda$(SHLIB_EXT): cuda_library
	$(CC) $(ALL_CPPFLAGS) $(CPICFLAGS) $(CFLAGS) -c cuda/entrypoint.c -o cuda/entrypoint.o
	$(SHLIB_LINK) -o $@ cuda/entrypoint.o "$(CUDA_TARGET)/release/libspaxR.a" $(CUDA_LIBS) @LINK@ $(LIBR)
