"""`python -m preceptor` is `preceptor`; torchrun starts programs this way."""

from preceptor.cli import main

if __name__ == "__main__":
    main()
